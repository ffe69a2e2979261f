import { frame } from '../../schemas/notify/frame.ts';
import type { Cast } from './cast.ts';

export type Caller = 'somebody' | 'nobody';

export interface FuzzSettings {
  seed: number;
  /** Requests made up for each endpoint, beyond those at the edges of its schema. */
  examples: number;
  /** Goes on making up requests for so many seconds, whatever `examples` says; null: no longer than they take. */
  seconds: number | null;
}

/** What an answer is held to. Left out is what a schema can't say: rules beyond it, views that are behind. */
const checks = [
  'not_a_server_error',
  'status_code_conformance',
  'content_type_conformance',
  'response_headers_conformance',
  'response_schema_conformance',
  'negative_data_rejection',
  'missing_required_header',
  'unsupported_method',
  'allow_header_conformance',
  'ignored_auth',
];

/** schemathesis.toml, as text. JSON's texts, numbers and lists of them are TOML as well. */
export function settingsFile(cast: Cast, caller: Caller, settings: FuzzSettings): string {
  const { usernames, userIds, posts, media, positions } = cast;
  const types = frame.options.map(({ shape }) => shape.type.value);
  const lists = { usernames, userIds, posts, media, positions, types };
  const known = (name: keyof typeof lists, probability: number) =>
    `{ dictionary = "${name}", probability = ${probability} }`;
  return `
seed = ${settings.seed}
${settings.seconds === null ? '' : `max-time = ${settings.seconds}`}
# A stream has no end: its first frame is looked at.
max-stream-events = 1
request-timeout = 20
continue-on-failure = true
warnings = false

${Object.entries(lists)
  .map(([name, values]) => `[dictionaries.${name}]\nvalues = ${JSON.stringify(values)}`)
  .join('\n')}

[parameters]
"path.username" = ${known('usernames', 0.6)}
"path.userId" = ${known('userIds', 0.6)}
"path.id" = ${known('posts', 0.6)}
"query.types" = ${known('types', 0.4)}
"header.X-Min-Position" = ${known('positions', 0.4)}
"body.media.[*]" = ${known('media', 0.8)}
"body.avatarMediaId" = ${known('media', 0.5)}

[[operations]]
include-path-regex = "^/api/media/"
parameters = { "path.id" = ${known('media', 0.6)} }

[generation]
mode = "all"
max-examples = ${settings.examples}
database = "none"

[checks]
enabled = false
${checks.map((name) => `${name}.enabled = true`).join('\n')}
${caller === 'nobody' ? '' : `\n[auth.openapi.accessToken]\nbearer = ${JSON.stringify(cast.token)}\n`}`;
}
