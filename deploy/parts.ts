/**
 * The one list of everything a stack consists of. The native stack, docker-compose.yml, `emulsion status`
 * and the tests read it; a version, a port or a setting is written here and nowhere else
 * (docker-compose.yml repeats them, and test/deploy/parts.test.ts holds it to this file).
 */

/** A port: the key that sets it, and its place in the block derived from EMULSION_PORT (see native/ports.ts). */
export type PartPort = { key: string; offset: number };

/** How readiness is asked for. `kafka` speaks the broker's own protocol: an open port is not yet a broker. */
export type Probe =
  | { kind: 'http'; port: string; path: string }
  | { kind: 'kafka'; port: string }
  | { kind: 'postgres'; port: string }
  | { kind: 'redis'; port: string }
  | { kind: 'none' };

export type Part = {
  name: string;
  kind: 'server' | 'tool' | 'edge' | 'service';
  /** Of a server or tool: what is installed natively. Debian's own packages move within a line, so only the line. */
  version: string;
  /** What compose runs. Tools and services run on the host in both ways of starting. */
  image?: string;
  ports: PartPort[];
  /** The environment keys by which our services find this part. */
  gives: string[];
  /** Settings in the part's own words, the same natively and in compose. */
  settings: Record<string, string>;
  /** Parts that must be ready before this one starts. */
  needs: string[];
  probe: Probe;
  /** Of a service: its main file, and the key of the address it gets as DATABASE_URL (narrowest role). */
  main?: string;
  database?: string;
};

/**
 * How Node runs our services. With room for what requests make, the collector copies little of it; and the trace of a
 * request follows it without a hook for every promise, as is Node's own way from 24 on.
 */
export const nodeFlags = [
  '--disable-warning=ExperimentalWarning',
  '--max-semi-space-size=32',
  '--experimental-async-context-frame',
];

const servers: Part[] = [
  {
    name: 'kafka',
    kind: 'server',
    version: '4.3.1',
    image: 'apache/kafka:4.3.1',
    ports: [
      { key: 'EMULSION_KAFKA_PORT', offset: 0 },
      { key: 'EMULSION_KAFKA_CONTROLLER_PORT', offset: 1 },
    ],
    gives: ['KAFKA_BROKERS'],
    settings: {
      'node.id': '1',
      'process.roles': 'broker,controller',
      'controller.listener.names': 'CONTROLLER',
      'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
      'inter.broker.listener.name': 'PLAINTEXT',
      // Business time is in the event; the record's own time is when the broker took it (DESIGN.md §3).
      'log.message.timestamp.type': 'LogAppendTime',
      // A mistyped topic name must fail, not become a topic with the wrong number of partitions.
      'auto.create.topics.enable': 'false',
      'offsets.topic.replication.factor': '1',
      'offsets.topic.num.partitions': '4',
      'transaction.state.log.replication.factor': '1',
      'transaction.state.log.min.isr': '1',
      'share.coordinator.state.topic.replication.factor': '1',
      'share.coordinator.state.topic.min.isr': '1',
      'group.initial.rebalance.delay.ms': '0',
      // After kill -9 the node is let in again only when the session of its former life has run out.
      'broker.session.timeout.ms': '6000',
      'broker.heartbeat.interval.ms': '1000',
      'min.insync.replicas': '1',
    },
    needs: [],
    probe: { kind: 'kafka', port: 'EMULSION_KAFKA_PORT' },
  },
  {
    name: 'registry',
    kind: 'server',
    version: '3.3.3',
    image: 'apicurio/apicurio-registry:3.3.3',
    ports: [
      { key: 'EMULSION_REGISTRY_PORT', offset: 2 },
      { key: 'EMULSION_REGISTRY_MANAGEMENT_PORT', offset: 3 },
    ],
    gives: ['SCHEMA_REGISTRY_URL'],
    // Without APICURIO_STORAGE_KIND it keeps every schema in memory and forgets it at a restart.
    settings: {
      APICURIO_STORAGE_KIND: 'sql',
      APICURIO_STORAGE_SQL_KIND: 'postgresql',
      APICURIO_DATASOURCE_USERNAME: 'emulsion_registry',
      APICURIO_DATASOURCE_JDBC_INITIAL_SIZE: '2',
      APICURIO_DATASOURCE_JDBC_MIN_SIZE: '2',
      APICURIO_DATASOURCE_JDBC_MAX_SIZE: '10',
    },
    needs: ['postgres'],
    probe: { kind: 'http', port: 'EMULSION_REGISTRY_MANAGEMENT_PORT', path: '/health/ready' },
  },
  {
    name: 'postgres',
    kind: 'server',
    version: '18.4',
    image: 'postgres:18.4',
    ports: [{ key: 'EMULSION_POSTGRES_PORT', offset: 4 }],
    gives: [
      'DATABASE_URL',
      'COMMAND_DATABASE_URL',
      'QUERY_DATABASE_URL',
      'PROJECTOR_DATABASE_URL',
      'MEDIA_DATABASE_URL',
    ],
    settings: {
      max_connections: '300',
      shared_buffers: '256MB',
      max_wal_size: '2GB',
      fsync: 'on',
      // Errors of statements quote values, personal ones among them; our services get them, and log them without.
      log_min_messages: 'fatal',
    },
    needs: [],
    probe: { kind: 'postgres', port: 'EMULSION_POSTGRES_PORT' },
  },
  {
    name: 'redis',
    kind: 'server',
    version: '7.0',
    image: 'redis:7.0',
    ports: [{ key: 'EMULSION_REDIS_PORT', offset: 5 }],
    gives: ['REDIS_URL'],
    // noeviction: a full Redis must refuse loudly; an evicted timeline would be a silent hole in a feed.
    settings: {
      appendonly: 'yes',
      appendfsync: 'everysec',
      save: '""',
      maxmemory: '1gb',
      'maxmemory-policy': 'noeviction',
    },
    needs: [],
    probe: { kind: 'redis', port: 'EMULSION_REDIS_PORT' },
  },
  {
    name: 's3',
    kind: 'server',
    version: 'v1.8.0',
    image: 'versity/versitygw:v1.8.0',
    ports: [{ key: 'EMULSION_S3_PORT', offset: 6 }],
    gives: [
      'S3_ENDPOINT',
      'S3_PUBLIC_ENDPOINT',
      'S3_REGION',
      'S3_ACCESS_KEY_ID',
      'S3_SECRET_ACCESS_KEY',
      'S3_BUCKET',
    ],
    settings: {
      VGW_HEALTH: '/health',
      VGW_REGION: 'us-east-1',
      VGW_CORS_ALLOW_ORIGIN: '*',
      VGW_KEEP_ALIVE: 'true',
    },
    needs: [],
    probe: { kind: 'http', port: 'EMULSION_S3_PORT', path: '/health' },
  },
];

const tools: Part[] = [
  {
    name: 'ffmpeg',
    kind: 'tool',
    version: '5.1',
    ports: [],
    gives: ['FFMPEG_PATH', 'FFPROBE_PATH'],
    settings: {},
    needs: [],
    probe: { kind: 'none' },
  },
];

const edge: Part = {
  name: 'nginx',
  kind: 'edge',
  version: '1.22',
  image: 'nginx:1.22',
  ports: [{ key: 'EMULSION_PORT', offset: -1 }],
  gives: ['PUBLIC_URL'],
  settings: {},
  needs: [],
  probe: { kind: 'http', port: 'EMULSION_PORT', path: '/healthz' },
};

function service(name: string, main: string, key: string, offset: number, database: string): Part {
  return {
    name,
    kind: 'service',
    version: 'this repository',
    ports: [{ key, offset }],
    gives: [],
    settings: {},
    needs: ['kafka', 'registry', 'postgres', 'redis', 's3'],
    probe: { kind: 'http', port: key, path: '/readyz' },
    main,
    database,
  };
}

const services: Part[] = [
  service('command-api', 'command-api/main.ts', 'EMULSION_COMMAND_PORT', 10, 'COMMAND_DATABASE_URL'),
  service('query-api', 'query-api/main.ts', 'EMULSION_QUERY_PORT', 11, 'QUERY_DATABASE_URL'),
  service('stream-1', 'query-api/main-stream.ts', 'EMULSION_STREAM_PORT', 12, 'QUERY_DATABASE_URL'),
  service('stream-2', 'query-api/main-stream.ts', 'EMULSION_STREAM2_PORT', 13, 'QUERY_DATABASE_URL'),
  service('projectors', 'projectors/main.ts', 'EMULSION_PROJECTORS_PORT', 14, 'PROJECTOR_DATABASE_URL'),
  service('reactors', 'projectors/main-reactors.ts', 'EMULSION_REACTORS_PORT', 15, 'PROJECTOR_DATABASE_URL'),
  service('media-pipeline', 'media-pipeline/main.ts', 'EMULSION_MEDIA_PORT', 16, 'MEDIA_DATABASE_URL'),
];

export const parts: readonly Part[] = [...servers, ...tools, edge, ...services];

/** The part of that name; an unknown name is a mistake in our own code. */
export function partNamed(name: string): Part {
  const part = parts.find((p) => p.name === name);
  if (!part) throw new Error(`deploy/parts.ts has no part named ${name}`);
  return part;
}
