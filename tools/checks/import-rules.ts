import type { IForbiddenRuleType } from 'dependency-cruiser';

/** The folders whose modules are cruised; DESIGN §10. */
export const cruisedFolders = [
  'schemas',
  'platform',
  'command-api',
  'projectors',
  'query-api',
  'media-pipeline',
  'tools',
  'deploy',
  'test',
];

const rooms = 'command-api|projectors|query-api|media-pipeline';

/** A driver has one importing folder, so that replacing it is a day's work (DESIGN §11). */
const drivers: Record<string, { packages: string; folder: string }> = {
  kafka: { packages: 'kafkajs|@kafkajs/confluent-schema-registry', folder: 'platform/log' },
  postgres: { packages: 'pg', folder: 'platform/postgres' },
  redis: { packages: 'ioredis', folder: 'platform/redis' },
  s3: { packages: '@aws-sdk/[^/]+', folder: 'platform/storage' },
  images: { packages: 'sharp', folder: 'media-pipeline/engines' },
  video: { packages: 'fluent-ffmpeg', folder: 'media-pipeline/engines' },
  sockets: { packages: 'uWebSockets[.]js|uws-pack', folder: 'query-api/stream' },
};

/** Matches a package whether it was resolved into node_modules or not. */
function packagePath(packages: string): string {
  return `(^|node_modules/)(@types/)?(${packages})(/|$)`;
}

function forbid(
  name: string,
  from: IForbiddenRuleType['from'],
  to: object,
  comment: string,
): IForbiddenRuleType {
  return { name, severity: 'error', comment, from, to } as IForbiddenRuleType;
}

const driverRules = Object.entries(drivers).map(([name, { packages, folder }]) =>
  forbid(
    `driver-${name}`,
    { path: '[.]ts$', pathNot: `^(${folder}|tools|test)/` },
    { path: packagePath(packages) },
    `only ${folder} may import ${packages.replaceAll('[.]', '.').replaceAll('[^/]+', '*').replaceAll('|', ' and ')}`,
  ),
);

export const importRules: IForbiddenRuleType[] = [
  forbid(
    'schemas-import-nothing',
    { path: '^schemas/' },
    { path: `^(platform|${rooms}|tools|deploy|test)/` },
    'schemas imports nothing of ours',
  ),
  forbid(
    'platform-imports-no-room',
    { path: '^platform/' },
    { path: `^(schemas|${rooms}|tools|deploy|test)/` },
    'platform imports no room and knows no noun',
  ),
  forbid(
    'rooms-stay-apart',
    { path: `^(${rooms})/` },
    { path: `^(${rooms})/`, pathNot: '^$1/' },
    'service rooms never import each other; share through schemas or platform',
  ),
  forbid(
    'rooms-import-no-deploy',
    { path: `^(${rooms})/` },
    { path: '^deploy/' },
    'no service knows how it is deployed',
  ),
  forbid(
    'nothing-imports-tools-or-test',
    { path: `^(schemas|platform|${rooms}|deploy)/` },
    { path: '^(tools|test)/' },
    'nothing imports tools and test',
  ),
  forbid(
    'verify-imports-no-model',
    { path: '^(tools/verify|test/oracle)/' },
    { path: `^(${rooms})/`, reachable: true },
    'what proves the models shares no code with them, directly or by way of others',
  ),
  forbid(
    'nothing-imports-a-main',
    { path: `^(schemas|platform|${rooms})/` },
    { path: `^(${rooms})/main[^/]*[.]ts$` },
    'main*.ts is the only wiring; nothing imports it',
  ),
  forbid(
    'config-stays-in-main',
    { path: `^(${rooms})/`, pathNot: `^(${rooms})/main[^/]*[.]ts$` },
    { path: '^platform/process/(config|main)[.]ts$', dependencyTypesNot: ['type-only'] },
    'only main*.ts reads the configuration; pass plain arguments',
  ),
  forbid('no-cycles', {}, { circular: true, dependencyTypesNot: ['npm'] }, 'imports must not go in a circle'),
  forbid('no-unresolved', {}, { couldNotResolve: true }, 'the import leads nowhere'),
  forbid(
    'no-undeclared-package',
    { path: '[.]ts$', pathNot: '^node_modules' },
    { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
    'the package is not in package.json',
  ),
  forbid(
    'no-dev-package-in-services',
    { path: `^(schemas|platform|${rooms})/` },
    { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'] },
    'a service imports a package that is only there for development',
  ),
  ...driverRules,
];
