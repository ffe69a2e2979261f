import { type ProblemCode, problems } from '../../schemas/problems.ts';
import type { Ports } from '../native/ports.ts';
import { type EdgeRoute, knownLines, type MapLine, routeLines, upstreamLines } from './routes.ts';

export type EdgeOptions = {
  ports: Ports;
  routes: readonly EdgeRoute[];
  /** Folder for pid, temporary files and the access log. */
  folder: string;
  accessLog: string;
  bucket: string;
  /** As root, workers must stay root to reach folders that are closed to others. */
  user?: string;
};

/** The whole nginx.conf. Nothing in it is written by hand elsewhere: `up` makes it anew each time. */
export function nginxConf(options: EdgeOptions): string {
  return `${main(options)}
events { worker_connections 4096; }

http {
${indent([basics(options), accessLog(options.accessLog), maps(options.routes), upstreams(options.ports), server(options)].join('\n\n'))}
}
`;
}

/**
 * error_log holds only what stops nginx: at lower levels it writes whole request lines, in which `?token=` stands.
 * What went wrong with an upstream is in the access log (upstream_status, upstream_addr).
 */
function main({ user, folder }: EdgeOptions): string {
  return `# Made by deploy/nginx/nginx.conf.ts; changes here are lost.
${user ? `user ${user};\n` : ''}worker_processes 2;
daemon off;
pid ${folder}/nginx.pid;
error_log stderr emerg;`;
}

function basics({ folder }: EdgeOptions): string {
  const temp = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  return `default_type application/octet-stream;
server_tokens off;
sendfile on;
tcp_nopush on;
keepalive_timeout 65s;
client_header_timeout 15s;
client_body_timeout 30s;
client_max_body_size 1m;
${temp.map((name) => `${name}_temp_path ${folder}/${name};`).join('\n')}
map_hash_bucket_size 256;
map_hash_max_size 8192;`;
}

/** The route, not the address: that holds names of people, which outlive their erasure here, and a query tokens. */
function accessLog(file: string): string {
  const fields = [
    '"time":"$time_iso8601","method":"$request_method","route":"$route","status":$status',
    '"bytes":$bytes_sent,"seconds":$request_time,"upstream":"$upstream_addr"',
    '"upstream_status":"$upstream_status","upstream_seconds":"$upstream_response_time"',
    '"client":"$remote_addr","traceId":"$trace_id"',
  ];
  return `log_format json escape=json\n${fields.map((f, i) => `  '${i ? ',' : '{'}${f}${i === 3 ? '}' : ''}'`).join('\n')};
access_log ${file} json buffer=32k flush=1s;`;
}

function maps(routes: readonly EdgeRoute[]): string {
  return `map "$request_method:$uri" $service {
  default "";
${lines(upstreamLines(routes))}
}
map $uri $known {
  default "";
${lines(knownLines(routes))}
}
map $uri $route {
  default "";
${lines(routeLines(routes))}
}
map "$service:$known" $refusal {
  default "";
  ":" 404;
  "~^:." 405;
}
# The trace of whoever asks, else a new one: one id in the access log, the services, and what nginx refuses by itself.
map $http_traceparent $trace_id {
  default $request_id;
  "~^00-(?<given>[0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}$" $given;
}
map $request_id $first_span {
  "~^(?<half>[0-9a-f]{16})" $half;
}
map $http_traceparent $traceparent {
  default "00-$request_id-$first_span-01";
  "~^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$" $http_traceparent;
}
# A write that was cut off may have happened: saying "unavailable" would invite a second one.
map $request_method $lost {
  default outcome_unknown;
  "~^(GET|HEAD|OPTIONS)$" dependency_unavailable;
}
map $http_upgrade $connection_upgrade {
  default upgrade;
  "" "";
}`;
}

function lines(list: MapLine[]): string {
  return list.map(({ key, value }) => `  ${key} ${value};`).join('\n');
}

function upstreams(ports: Ports): string {
  const one = (name: string, ...keys: string[]) => `upstream ${name} {
${keys.map((key) => `  server 127.0.0.1:${ports[key]}${keys.length > 1 ? ' fail_timeout=2s' : ' max_fails=0'};`).join('\n')}
  keepalive 64;
}`;
  return [
    one('command', 'EMULSION_COMMAND_PORT'),
    one('query', 'EMULSION_QUERY_PORT'),
    one('stream', 'EMULSION_STREAM_PORT', 'EMULSION_STREAM2_PORT'),
    one('objects', 'EMULSION_S3_PORT'),
  ].join('\n');
}

function server({ ports, bucket }: EdgeOptions): string {
  return `server {
  listen 127.0.0.1:${ports.EMULSION_PORT} backlog=1024;
  server_name _;
  proxy_http_version 1.1;
  proxy_set_header Host $http_host;
  proxy_set_header Connection $connection_upgrade;
  proxy_set_header Upgrade $http_upgrade;
  proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
  proxy_set_header X-Forwarded-Proto $scheme;
  proxy_set_header traceparent $traceparent;
  proxy_connect_timeout 2s;
  proxy_read_timeout 30s;
  error_page 400 414 =400 /-/request_invalid;
  error_page 494 =431 /-/headers_too_large;
  error_page 404 = @route_not_found;
  error_page 405 = @method_not_allowed;
  error_page 413 = @body_too_large;
  error_page 500 = @internal_error;
  error_page 502 503 504 = @lost;

  location = /healthz {
    access_log off;
    default_type application/json;
    return 200 '{"status":"ok"}';
  }
  location / {
    if ($refusal = 404) { return 404; }
    if ($refusal = 405) { return 405; }
    proxy_pass http://$service;
  }
${indent(streamLocations())}
${indent(mediaLocation(bucket))}
${indent(problemLocations())}
}`;
}

/** One long connection each: no buffering, and an hour of silence allowed (both send pings). */
function streamLocations(): string {
  return ['/ws', '/api/stream']
    .map(
      (path) => `location ${path === '/ws' ? '= ' : ''}${path} {
  proxy_pass http://stream;
  proxy_buffering off;
  proxy_read_timeout 3600s;
  proxy_send_timeout 3600s;
}`,
    )
    .join('\n');
}

/**
 * Published objects, read as a stranger: no credentials and no query reach the gateway, so that nothing but a plain
 * GET of a key under m/ can be asked of it. \z, not $, which would let a line feed through at the end.
 */
function mediaLocation(bucket: string): string {
  const amazon = ['request-id', 'id-2', 'version-id', 'delete-marker', 'storage-class', 'checksum-type'];
  const cors = ['Origin', 'Methods', 'Headers', 'Credentials'];
  const hidden = [
    ...amazon.map((name) => `x-amz-${name}`),
    ...cors.map((name) => `Access-Control-Allow-${name}`),
    'Access-Control-Expose-Headers',
    'Cache-Control',
    'Server',
  ];
  return `location ~ "^/m/[A-Za-z0-9._/-]+\\z" {
  if ($request_method !~ ^(GET|HEAD)$) { return 405; }
  proxy_pass http://objects/${bucket}$uri;
  proxy_set_header Host $http_host;
  proxy_set_header Connection "";
  proxy_set_header Authorization "";
  proxy_set_header Cookie "";
  proxy_pass_request_body off;
  proxy_set_header Content-Length "";
  proxy_intercept_errors on;
  error_page 403 404 = @media_not_found;
${hidden.map((name) => `  proxy_hide_header ${name};`).join('\n')}
  add_header Cache-Control "public, max-age=3600";
  add_header X-Content-Type-Options nosniff;
  add_header Access-Control-Allow-Origin *;
}`;
}

function problemLocations(): string {
  const codes: ProblemCode[] = [
    'route_not_found',
    'media_not_found',
    'method_not_allowed',
    'body_too_large',
    'internal_error',
  ];
  const lost = (code: ProblemCode) => `if ($lost = ${code}) { ${answer(code)} }`;
  const allow = (code: ProblemCode) =>
    code === 'method_not_allowed' ? '  add_header Allow $known always;\n' : '';
  return `${codes.map((code) => `location @${code} {\n  default_type application/problem+json;\n${allow(code)}  ${answer(code)}\n}`).join('\n')}
${brokenLocations()}
location @lost {
  default_type application/problem+json;
  add_header Retry-After 1 always;
  ${lost('outcome_unknown')}
  ${answer('dependency_unavailable')}
}`;
}

/** nginx leads no request to a named location whose address it could not read: it would answer 500 in HTML. */
function brokenLocations(): string {
  const codes: ProblemCode[] = ['request_invalid', 'headers_too_large'];
  return codes
    .map(
      (code) => `location = /-/${code} {
  internal;
  default_type application/problem+json;
  ${answer(code)}
}`,
    )
    .join('\n');
}

function answer(code: ProblemCode): string {
  const { status, title } = problems[code];
  const document = { type: `/problems/${code}`, title, status, code, traceId: '$trace_id' };
  return `return ${status} '${JSON.stringify(document)}';`;
}

function indent(text: string): string {
  return text.replace(/^(?=.)/gm, '  ');
}
