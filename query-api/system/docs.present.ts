type Json = Record<string, unknown>;

interface Operation {
  operationId: string;
  tags: string[];
  summary: string;
  security: Json[];
  parameters: { name: string; in: string; required: boolean; description?: string; schema: Json }[];
  requestBody?: { content: Record<string, { schema: Json }> };
  responses: Record<string, { description: string; content?: Record<string, { schema: Json }> }>;
}

/** The parts of an OpenAPI document that the page shows. */
export interface OpenapiDocument extends Json {
  info: { title: string; version: string; description: string };
  tags: { name: string }[];
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Json> };
}

export const docsStyle = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
code, pre { font-family: ui-monospace, monospace; font-size: .85rem; }
pre { overflow: auto; padding: .75rem; background: #8881; border-radius: .4rem; }
details { margin: .4rem 0; padding: .4rem .75rem; border: 1px solid #8884; border-radius: .4rem; }
summary { cursor: pointer; }
summary b { display: inline-block; min-width: 4.5rem; }
table { border-collapse: collapse; width: 100%; }
td, th { text-align: left; vertical-align: top; padding: .3rem .6rem .3rem 0; border-bottom: 1px solid #8883; }
nav a { margin-right: 1rem; }
`;

/** The document as one page that needs nothing else: no script, nothing from outside. */
export function docsPage(document: OpenapiDocument): string {
  const { info, tags, paths, components } = document;
  const operations = Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({ path, method, operation })),
  );
  const sections = tags.map(({ name }) => {
    const own = operations.filter(({ operation }) => operation.tags.includes(name));
    return `<h2 id="${html(name)}">${html(name)}</h2>${own.map(operationHtml).join('')}`;
  });
  const shapes = Object.entries(components.schemas).map(
    ([name, schema]) =>
      `<details id="${html(name)}"><summary><code>${html(name)}</code></summary>${schemaHtml(schema)}</details>`,
  );
  const links = [...tags.map(({ name }) => name), 'shapes'].map(
    (name) => `<a href="#${html(name)}">${html(name)}</a>`,
  );
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${html(info.title)}</title><style>${docsStyle}</style></head><body>
<h1>${html(info.title)}</h1><p>${html(info.description)}</p>
<nav>${links.join('')}<a href="openapi.json">openapi.json</a></nav>
${sections.join('')}<h2 id="shapes">shapes</h2>${shapes.join('')}
</body></html>`;
}

function operationHtml({
  path,
  method,
  operation,
}: {
  path: string;
  method: string;
  operation: Operation;
}): string {
  const body = Object.values(operation.requestBody?.content ?? {})[0];
  return `<details id="${html(operation.operationId)}">
<summary><b>${html(method.toUpperCase())}</b><code>${html(path)}</code> ${html(operation.summary)}</summary>
<p>${accessOf(operation.security)}</p>
${parametersHtml(operation.parameters)}${body ? `<h4>Body</h4>${schemaHtml(body.schema)}` : ''}
<h4>Answers</h4><table>${Object.entries(operation.responses).map(answerHtml).join('')}</table></details>`;
}

function accessOf(security: readonly Json[]): string {
  if (security.length === 0) return 'Needs no access token.';
  return security.length === 1 ? 'Needs an access token.' : 'Takes an access token; answers strangers too.';
}

function parametersHtml(parameters: Operation['parameters']): string {
  if (parameters.length === 0) return '';
  const rows = parameters.map(
    ({ name, in: place, required, description = '', schema }) =>
      `<tr><td><code>${html(name)}</code></td><td>${html(place)}${required ? '' : ', optional'}</td>` +
      `<td>${html(description)} <code>${html(JSON.stringify(schema))}</code></td></tr>`,
  );
  return `<h4>Parameters</h4><table>${rows.join('')}</table>`;
}

function answerHtml([status, { description, content = {} }]: [
  string,
  Operation['responses'][string],
]): string {
  const [type, shown] = Object.entries(content)[0] ?? [];
  const schema = shown && type !== 'application/problem+json' ? schemaHtml(shown.schema) : '';
  return `<tr><td>${html(status)}</td><td>${html(description).replaceAll('\n', '<br>')}${schema}</td></tr>`;
}

/** JSON Schema as it is; names of shapes lead to them. */
function schemaHtml(schema: Json): string {
  const text = html(JSON.stringify(schema, null, 2));
  return `<pre>${text.replaceAll(/#\/components\/schemas\/(\w+)/g, '<a href="#$1">$1</a>')}</pre>`;
}

function html(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
