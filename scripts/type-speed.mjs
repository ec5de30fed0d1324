// What type checking costs an app with 80 events and 80 commands: it must stay under a second.
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root, tool } from './installed.mjs';

const limitSeconds = 1;
const aggregates = 8;
const eventsEach = 10;

const folder = join(root, '.artifacts/type-speed');
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
const range = (count) => Array.from({ length: count }, (_, index) => index);

const source = [
  "import { defineAggregate, defineApp, defineEvents, defineProjection, reject, shape, versions } from 'varve';",
  "import * as z from 'zod';",
  ...range(aggregates).map((a) => {
    const names = range(eventsEach).map((e) => `E${a}x${e}`);
    return `
export const Events${a} = defineEvents({
${names.map((name, e) => `  ${name}: ${e % 5 === 0 ? "versions(shape<{ v: number }>()).to(z.object({ n: z.number(), s: z.string() }), ({ v }) => ({ n: v, s: '' }))" : 'z.object({ n: z.number(), s: z.string() })'},`).join('\n')}
});
export const Aggregate${a} = defineAggregate('a${a}', {
  events: Events${a},
  initialState: () => ({ sum: 0, text: '' }),
  evolve: {
${names.map((name) => `    ${name}: (state, { data }) => ({ ...state, sum: state.sum + data.n, text: data.s }),`).join('\n')}
  },
  commands: {
${names.map((name, e) => `    c${e}: { input: z.object({ n: z.coerce.number(), s: z.string() }), decide: (input, state, { now }) => state.sum > now ? reject('full', { sum: state.sum }) : Events${a}.${name}(input) },`).join('\n')}
  },
});
export const Rows${a} = defineProjection('r${a}', {
  version: 1,
  from: [Events${a}, Events${Math.max(0, a - 1)}],
  row: shape<{ sum: number }>(),
  on: {
${names.map((name) => `    ${name}: (row, { data }) => ({ sum: (row?.sum ?? 0) + data.n }),`).join('\n')}
  },
});`;
  }),
  `export const app = defineApp({ name: 'wide', aggregates: [${range(aggregates).map((a) => `Aggregate${a}`)}], projections: [${range(aggregates).map((a) => `Rows${a}`)}] });`,
].join('\n');
writeFileSync(join(folder, 'app.ts'), source);
writeFileSync(
  join(folder, 'none.ts'),
  "import { defineApp } from 'varve';\nimport * as z from 'zod';\nexport const all = [defineApp, z];\n",
);

function check(file) {
  const config = join(folder, `tsconfig.${file}.json`);
  writeFileSync(config, JSON.stringify({ extends: '../../tsconfig.json', include: [`${file}.ts`], exclude: [] }));
  const { stdout, status } = spawnSync(process.execPath, [tool('tsc'), '-p', config, '--extendedDiagnostics'], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(stdout);
  return Number(/^Total time:\s+([\d.]+)s/m.exec(stdout)?.[1]);
}

const best = (file) => Math.min(...range(3).map(() => check(file)));
const seconds = best('app');
console.log(
  `${aggregates * eventsEach} events and ${aggregates * eventsEach} commands: ${seconds} s to check, best of 3; the imports alone ${best('none')} s`,
);
process.exit(seconds < limitSeconds ? 0 : 1);
