import { parseArgs } from 'node:util';
import { metricGroups } from './metrics.mjs';

const usage = `Usage: npm run bench -- [--quick] [--only ${metricGroups.slice(0, 3).join(',')},…] [--n 10000,100000] [--runs 5]
                    [--seed 1] [--json FILE] [--write-docs]
Metrics: ${metricGroups.join(', ')}`;

/** Reads the command line. Throws with the usage where it cannot be understood. */
export function parseOptions(args) {
  const { values } = parseArgs({
    args,
    options: {
      quick: { type: 'boolean', default: false },
      only: { type: 'string' },
      n: { type: 'string' },
      runs: { type: 'string' },
      seed: { type: 'string', default: '1' },
      json: { type: 'string' },
      'write-docs': { type: 'boolean', default: false },
    },
  });
  const { quick } = values;
  const only = values.only?.split(',') ?? metricGroups;
  const unknown = only.filter((name) => !metricGroups.includes(name));
  if (unknown.length > 0) throw new Error(`There is no metric ${unknown.join(', ')}.\n${usage}`);
  return {
    quick,
    only: new Set(only),
    sizes: (values.n ?? (quick ? '10000' : '10000,100000,1000000')).split(',').map((size) => requireWhole(size, 100)),
    runs: requireWhole(values.runs ?? (quick ? '2' : '5'), 1),
    seed: requireWhole(values.seed, 0),
    json: values.json,
    writeDocs: values['write-docs'],
  };
}

function requireWhole(text, least) {
  const number = Number(text);
  if (!Number.isInteger(number) || number < least) {
    throw new Error(`"${text}" is not a whole number of at least ${least}.\n${usage}`);
  }
  return number;
}
