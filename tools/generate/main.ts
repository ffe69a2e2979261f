import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { generateEvents } from './events.ts';
import { generateOpenapi } from './openapi.ts';

const root = path.resolve(import.meta.dirname, '../..');

/** Every generated file and what it should hold. */
function generated(): Record<string, string> {
  return {
    'schemas/generated/events.ts': generateEvents(root),
    'schemas/generated/openapi.json': generateOpenapi(),
  };
}

const check = process.argv.includes('--check');
let drifted = 0;
for (const [file, text] of Object.entries(generated())) {
  const target = path.join(root, file);
  if (existsSync(target) && readFileSync(target, 'utf8') === text) continue;
  drifted += 1;
  if (check) console.error(`${file} is not what its sources make: run \`npm run generate\` and commit it`);
  else {
    mkdirSync(path.dirname(target), { recursive: true });
    writeFileSync(target, text);
    console.log(`wrote ${file}`);
  }
}
process.exitCode = check && drifted > 0 ? 1 : 0;
