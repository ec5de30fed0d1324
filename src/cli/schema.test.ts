import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { exportLog } from '../log/export-log.ts';
import { createMemoryEventLog } from '../log/memory-event-log.ts';
import { createTestEnv } from '../testing/in-process-worker.ts';
import { run } from './run.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const artifacts = join(root, '.artifacts');
mkdirSync(artifacts, { recursive: true });
const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true });
});

function createFolder(): string {
  const folder = mkdtempSync(join(artifacts, 'schema-'));
  folders.push(folder);
  return folder;
}

/** A user's folder with one module, `bank.ts`, and the command line in it. */
function createProject() {
  let folder = createFolder();
  const write = (file: string, text: string) => {
    if (file.endsWith('.ts')) {
      // A module is loaded once in a process, and the command line is a process for each call: here it moves instead.
      const next = createFolder();
      cpSync(folder, next, { recursive: true });
      folder = next;
    }
    writeFileSync(join(folder, file), text);
  };
  const read = (file: string) => readFileSync(join(folder, file), 'utf8');
  const varve = async (...args: readonly string[]) => {
    const lines: string[] = [];
    const code = await run(args, {
      folder,
      print: (text) => lines.push(text),
      printError: (text) => lines.push(text),
      progress: () => undefined,
      style: (_style, text) => text,
    });
    return { code, text: lines.join('\n') };
  };
  /** The module with these events, as a user would write it. */
  const declare = (events: string) => {
    write('bank.ts', moduleWith(events));
  };
  return {
    write,
    read,
    varve,
    declare,
    lock: () => varve('schema', 'lock', 'bank.ts'),
    check: () => varve('schema', 'check', 'bank.ts'),
  };
}

const imports = `
import { defineApp, defineEvents, defineProjection, shape, versions } from '${root}src/core/index.ts';
import * as z from 'zod';
`;

const moduleWith = (events: string, name = 'bank'): string => `${imports}
enum Kind { Old = 'old' } // TypeScript that has to be compiled
const events = defineEvents({ ${events} });
const on = Object.fromEntries(Object.keys(events).map((type) => [type, () => null]));
const Rows = defineProjection('rows', { version: 1, from: [events], row: shape<object>(), on: on as never });
export const bank = defineApp({ name: '${name}', aggregates: [], projections: [Rows] });
export { Kind };
`;

/** An exported log with these events. */
async function exportOf(
  ...events: readonly (readonly [type: string, version: number, data: unknown])[]
): Promise<string> {
  const log = createMemoryEventLog();
  const env = createTestEnv();
  for (const [type, version, data] of events) {
    const commandId = env.newId();
    await log.write((transaction) =>
      transaction.append({
        commandId,
        correlationId: commandId,
        recordedAt: env.now(),
        events: [{ stream: 'account-ada', type, version, data }],
      }),
    );
  }
  let text = '';
  for await (const lines of exportLog(log, 'bank')) text += lines;
  return text;
}

const withdrawn = 'Withdrawn: z.object({ amount: z.number() })';
const toCentsBy = (upcast: string) =>
  `Withdrawn: versions(shape<{ amount: number }>()).to(z.object({ cents: z.int() }), ${upcast})`;
const toCents = toCentsBy('({ amount }) => ({ cents: amount * 100 })');

describe('varve schema lock', () => {
  it('writes what the app stores, and check is content', async () => {
    const { declare, lock, check, read } = createProject();
    declare(
      `${withdrawn}, Noted: shape<{ text: string }>(), Closed: versions(z.object({})).formerly('Shut').deprecated()`,
    );
    const locked = await lock();
    expect(locked.code).toBe(0);
    expect(locked.text).toContain('varve.schema.json written: 3 event types, 3 versions, 0 fixtures');
    expect(locked.text).toContain('Noted version 1 (a bare shape: nothing is checked at run time)');
    expect(JSON.parse(read('varve.schema.json'))).toEqual({
      varve: 'schema-lock',
      format: 1,
      app: 'bank',
      events: {
        Closed: {
          formerly: ['Shut'],
          deprecated: true,
          versions: [{ version: 1, schema: { type: 'object', properties: {}, additionalProperties: false } }],
        },
        Noted: { versions: [{ version: 1, schema: null }] },
        Withdrawn: {
          versions: [
            {
              version: 1,
              schema: {
                type: 'object',
                properties: { amount: { type: 'number' } },
                required: ['amount'],
                additionalProperties: false,
              },
            },
          ],
        },
      },
      fixtures: {},
    });
    expect(await check()).toMatchObject({ code: 0, text: expect.stringContaining('✓ bank reads all that is stored') });
  });

  it('writes the same bytes whatever the order of the code, and leaves descriptions out', async () => {
    const { declare, lock, read } = createProject();
    declare('A: z.object({ a: z.string(), b: z.number() }), B: z.object({})');
    await lock();
    const before = read('varve.schema.json');
    declare("B: z.object({}), A: z.object({ b: z.number().describe('new'), a: z.string() })");
    expect((await lock()).text).toContain('is up to date');
    expect(read('varve.schema.json')).toBe(before);
  });

  it('does not write over what the code breaks, unless it is told to', async () => {
    const { declare, lock, read, varve } = createProject();
    declare(withdrawn);
    await lock();
    const before = read('varve.schema.json');
    declare('Withdrawn: z.object({ amount: z.string() })');
    expect(await lock()).toMatchObject({
      code: 1,
      text: expect.stringContaining('varve.schema.json was left as it is: 1 problem'),
    });
    expect(read('varve.schema.json')).toBe(before);
    expect((await varve('schema', 'lock', 'bank.ts', '--force')).code).toBe(0);
    expect(read('varve.schema.json')).not.toBe(before);
  });

  it('still knows what an old version stored where the code has a bare shape for it', async () => {
    const { declare, lock, read } = createProject();
    declare(withdrawn);
    await lock();
    const [known] = JSON.parse(read('varve.schema.json')).events.Withdrawn.versions;
    declare(toCents);
    await lock();
    expect(JSON.parse(read('varve.schema.json')).events.Withdrawn.versions[0]).toEqual(known);
  });

  it('keeps a few recorded payloads of each type and version: each shape once, and what was there', async () => {
    const { declare, lock, write, read, varve } = createProject();
    declare('Noted: z.object({ text: z.string(), tags: z.array(z.string()).optional() })');
    const noted = (data: unknown) => ['Noted', 1, data] as const;
    const texts = [1, 2, 3, 4, 5].map((number) => noted({ text: `note ${number}` }));
    write('log.ndjson', await exportOf(...texts, noted({ text: '' }), noted({ text: 'x', tags: ['a'] })));
    const withLog = () => varve('schema', 'lock', 'bank.ts', '--log', 'log.ndjson');
    expect((await withLog()).text).toContain('+ 3 fixtures, of a log of 7 events');
    const fixtures = () => JSON.parse(read('varve.schema.json')).fixtures;
    const kept = [{ text: 'note 1' }, { text: '' }, { tags: ['a'], text: 'x' }];
    expect(fixtures()).toEqual({ Noted: { 1: kept } });
    write('log.ndjson', await exportOf(noted({ text: 'another' }), noted({ text: 'x', tags: [] })));
    await withLog();
    expect(fixtures()).toEqual({ Noted: { 1: [...kept, { tags: [], text: 'x' }] } });
    expect((await lock()).text).toContain('is up to date');
  });

  it('refuses a log that is damaged, or of another app', async () => {
    const { declare, write, varve } = createProject();
    declare(withdrawn);
    const text = await exportOf(['Withdrawn', 1, { amount: 5 }]);
    write('log.ndjson', text.replace('"amount":5', '"amount":6'));
    const damaged = await varve('schema', 'lock', 'bank.ts', '--log', 'log.ndjson');
    expect(damaged).toMatchObject({ code: 1, text: expect.stringContaining('line 2 does not match its link') });
    write('bank.ts', moduleWith(withdrawn, 'other'));
    write('log.ndjson', text);
    expect((await varve('schema', 'lock', 'bank.ts', '--log', 'log.ndjson')).text).toContain('it is of the app "bank"');
  });
});

/** What was locked, what the code says now, and what the check says: nothing where it passes. */
const changes: Record<string, readonly [locked: string, current: string, ...said: string[]]> = {
  'a description and a new optional key': [
    withdrawn,
    "Withdrawn: z.object({ amount: z.number().describe('x'), note: z.string().optional() })",
  ],
  'another schema for the newest version': [
    withdrawn,
    'Withdrawn: z.object({ cents: z.int() })',
    '✗ Withdrawn version 1 does not take all that is stored of it',
    'amount  is stored, and has no place in the new schema',
    'cents  is required now, and stored events may lack it',
    'Leave version 1 as it is locked, and make the change as version 2:',
    'Withdrawn: versions(shape<{ amount: number }>()) // version 1, as it is locked',
    '.to(/* the schema of today */, ({ amount, ...stored }) => ({ ...stored, cents: … })), // version 2',
  ],
  'what the check says to write': [withdrawn, toCents, 'varve.schema.json is behind the code', '+ Withdrawn version 2'],
  'another schema for an old version': [
    'Withdrawn: versions(z.object({ amount: z.number() })).to(z.object({ cents: z.int() }), () => ({ cents: 1 }))',
    'Withdrawn: versions(z.object({ amount: z.string() })).to(z.object({ cents: z.int() }), () => ({ cents: 1 }))',
    'Version 1 is history. Put its schema back as it is locked:',
    '.to(shape<{ amount: number }>(), (stored) => …) // version 1, as it is locked',
  ],
  'a bare shape for an old version': [
    'Withdrawn: versions(z.object({ amount: z.number() })).to(z.object({ cents: z.int() }), () => ({ cents: 1 }))',
    'Withdrawn: versions(shape<{ amount: number }>()).to(z.object({ cents: z.int() }), () => ({ cents: 1 }))',
  ],
  'fewer versions': [
    toCents,
    'Withdrawn: shape<{ amount: number }>()',
    '✗ Withdrawn has one version, and 2 are locked',
    '.to(shape<{ cents: number }>(), (stored) => …) // version 2, as it is locked',
  ],
  'a version that is put before the others': [
    withdrawn,
    'Withdrawn: versions(z.object({ old: z.string() })).to(z.object({ amount: z.number() }), () => ({ amount: 1 }))',
    'Version 1 is history. Put its schema back',
  ],
  'two versions that change places': [
    'Withdrawn: versions(z.object({ a: z.string() })).to(z.object({ b: z.string() }), () => ({ b: "" }))',
    'Withdrawn: versions(z.object({ b: z.string() })).to(z.object({ a: z.string() }), () => ({ a: "" }))',
    '✗ Withdrawn version 1 is what version 2 was: its number is used again',
  ],
  'a type that is gone': [
    `${withdrawn}, Opened: z.object({})`,
    'Opened: z.object({})',
    '✗ Withdrawn is gone',
    'Withdrawn: versions(shape<{ amount: number }>())',
    '.deprecated(),',
  ],
  'a type of another name': [
    withdrawn,
    'Debited: z.object({ amount: z.number() })',
    '✗ Withdrawn is gone, and Debited looks just like it',
    "Debited: versions(/* the schema of today */).formerly('Withdrawn'),",
  ],
  'a type of another name that says so': [
    withdrawn,
    "Debited: versions(z.object({ amount: z.number() })).formerly('Withdrawn')",
    '+ Debited was formerly Withdrawn',
    '+ Debited version 1',
  ],
  'a type that took over a name and does not take what it stored': [
    withdrawn,
    "Debited: versions(z.object({ amount: z.string() })).formerly('Withdrawn')",
    '✗ Withdrawn version 1 does not take all that is stored of it',
  ],
  'a type that is kept to be read': [withdrawn, 'Withdrawn: versions(shape<{ amount: number }>()).deprecated()'],
  'a former name that is dropped': [
    "Debited: versions(z.object({})).formerly('Withdrawn')",
    'Debited: z.object({})',
    '✗ Debited is not known as "Withdrawn" any more',
    "Debited: ….formerly('Withdrawn'),",
  ],
  'a former name that another type has taken': [
    "Debited: versions(z.object({})).formerly('Withdrawn')",
    'Debited: z.object({}), Withdrawn: z.object({})',
    'events that were stored as "Withdrawn" would be read as Withdrawn',
  ],
  'a new type': [
    withdrawn,
    `${withdrawn}, Opened: z.object({})`,
    'is behind the code',
    '+ Opened version 1',
    'npx varve schema lock bank.ts',
  ],
  'a schema where there was a shape': [
    'Withdrawn: shape<{ amount: number }>()',
    withdrawn,
    '+ Withdrawn version 1 has a schema now',
  ],
};

describe('varve schema check', () => {
  it.each(Object.entries(changes))('%s', async (_name, [locked, current, ...said]) => {
    const { declare, lock, check } = createProject();
    declare(locked);
    await lock();
    declare(current);
    const { code, text } = await check();
    expect({ code, text }).toEqual({ code: said.length === 0 ? 0 : 1, text });
    for (const part of said) expect(text).toContain(part);
  });

  it('passes where the code takes more than is locked, says so, and fails if it is to be exact', async () => {
    const { declare, lock, check, varve } = createProject();
    declare(withdrawn);
    await lock();
    const exact = () => varve('schema', 'check', 'bank.ts', '--exact');
    expect((await exact()).code).toBe(0);
    declare('Withdrawn: z.object({ amount: z.number().nullable() })');
    expect(await check()).toMatchObject({
      code: 0,
      text: expect.stringContaining('+ Withdrawn version 1 takes more than is locked'),
    });
    expect((await exact()).code).toBe(1);
  });

  it('runs the fixtures through the upcasters, and shows the one on which it fails', async () => {
    const { declare, lock, check, write, varve } = createProject();
    declare(withdrawn);
    write('log.ndjson', await exportOf(['Withdrawn', 1, { amount: 5 }], ['Withdrawn', 1, { amount: 0.125 }]));
    await varve('schema', 'lock', 'bank.ts', '--log', 'log.ndjson');
    declare(toCents);
    const refused = await check();
    expect(refused.code).toBe(1);
    expect(refused.text).toContain('✗ Withdrawn version 1: a fixture is not read');
    expect(refused.text).toContain('{"amount":0.125}');
    expect(refused.text).toContain(
      'the newest schema, version 2, refuses what the upcasters give ({"cents":12.5}): cents: Invalid input',
    );
    expect((await lock()).code).toBe(1);
    declare(toCentsBy('({ amount }) => { throw new Error("no " + amount); }'));
    expect((await check()).text).toContain('the upcaster from version 1 to 2 threw: Error: no 5');
    declare(toCentsBy('(stored) => { stored.amount *= 100; return { cents: stored.amount }; }'));
    expect((await check()).text).toContain('1 to 2 threw: TypeError: Cannot assign to read only property');
    declare(toCentsBy('({ amount }) => ({ cents: Math.round(amount * 100) })'));
    await lock();
    expect(await check()).toMatchObject({ code: 0, text: expect.stringContaining('2 fixtures (2 upcast)') });
  });

  it('does not ask a schema that transforms about what it gave', async () => {
    const { declare, write, varve } = createProject();
    declare(
      'Opened: z.object({ at: z.string().transform(Number).pipe(z.number()) }), Shut: z.object({ at: z.string().transform(Number) })',
    );
    write('log.ndjson', await exportOf(['Opened', 1, { at: 5 }], ['Shut', 1, { at: 5 }]));
    const locked = await varve('schema', 'lock', 'bank.ts', '--log', 'log.ndjson');
    expect(locked).toMatchObject({
      code: 0,
      text: expect.stringContaining('Shut version 1 (zod: Transforms cannot be represented'),
    });
  });

  it('reads every event of a log, and tells those that are alike once', async () => {
    const { declare, lock, write, varve } = createProject();
    declare(toCents);
    await lock();
    const withLog = () => varve('schema', 'check', 'bank.ts', '--log', 'log.ndjson');
    write('log.ndjson', await exportOf(['Withdrawn', 1, { amount: 5 }], ['Withdrawn', 2, { cents: 5 }]));
    expect(await withLog()).toMatchObject({ code: 0, text: expect.stringContaining('2 events of the log (1 upcast)') });
    const bad = [0.125, 0.135, 0.145].map((amount) => ['Withdrawn', 1, { amount }] as const);
    write('log.ndjson', await exportOf(['Withdrawn', 2, { cents: 5 }], ...bad, ['Withdrawn', 3, {}], ['Gone', 1, {}]));
    const { code, text } = await withLog();
    expect(code).toBe(1);
    expect(text).toContain('Withdrawn version 1: the event at position 2 is not read');
    expect(text).toContain('and 2 events more like it');
    expect(text).toContain('Withdrawn version 3: the event at position 5 is not read');
    expect(text).toContain('Gone version 1: the event at position 6 is not read');
    expect(text).toContain('3 problems');
  });

  it('fails where there is no lock file, and where it is of another app or damaged', async () => {
    const { declare, lock, check, write, read } = createProject();
    declare(withdrawn);
    expect(await check()).toMatchObject({ code: 1, text: expect.stringContaining('npx varve schema lock bank.ts') });
    await lock();
    write('bank.ts', moduleWith(withdrawn, 'other'));
    expect(await check()).toMatchObject({
      code: 1,
      text: expect.stringContaining('the lock file is of the app "bank"'),
    });
    declare(withdrawn);
    write('varve.schema.json', `<<<<<<< ours\n${read('varve.schema.json')}`);
    expect(await check()).toMatchObject({ code: 1, text: expect.stringContaining('merge conflict') });
    write('varve.schema.json', '{}');
    expect(await check()).toMatchObject({ code: 1, text: expect.stringContaining('is not a lock file of varve') });
  });
});

describe('the command line', () => {
  it('loads a module as a bundler would: without extensions, by the paths of a tsconfig, with JSX', async () => {
    const { varve, declare, write } = createProject();
    declare(withdrawn);
    write('tsconfig.json', '{ "compilerOptions": { "paths": { "@app/*": ["./*"] } } }');
    write('view.tsx', "export const view = () => <b>{'x' as string}</b>;");
    write(
      'index.ts',
      "import { bank } from './bank';\nimport { view } from '@app/view';\nexport const app = bank;\nvoid view;",
    );
    expect(await varve('schema', 'lock', 'index.ts')).toMatchObject({ code: 0 });
  });

  it('tells its commands, and what each takes', async () => {
    const { varve } = createProject();
    expect(await varve('--help')).toMatchObject({ code: 0, text: expect.stringContaining('schema check') });
    expect(await varve('schema', 'lock', '--help')).toMatchObject({
      code: 0,
      text: expect.stringContaining('--force'),
    });
    expect((await varve()).code).toBe(2);
    expect(await varve('publish')).toMatchObject({ code: 2, text: expect.stringContaining('no command "publish"') });
    expect(await varve('serve', '--help')).toMatchObject({ code: 0, text: expect.stringContaining('DATABASE_URL') });
  });

  it('says what is wrong with its arguments', async () => {
    const { varve, declare, write } = createProject();
    declare(withdrawn);
    write('none.ts', 'export const a = 1;');
    write('broken.ts', 'throw new Error("window is not defined");');
    write('two.ts', `${moduleWith(withdrawn)}\nexport const other = { ...bank, name: 'other' };`);
    const check = (...args: string[]) => varve('schema', 'check', ...args);
    expect(await check()).toMatchObject({ code: 2, text: expect.stringContaining('Name the module') });
    expect(await check('gone.ts')).toMatchObject({ code: 2, text: expect.stringContaining('no file gone.ts') });
    expect(await check('none.ts')).toMatchObject({ code: 2, text: expect.stringContaining('exports no app') });
    expect(await check('bank.ts', 'two.ts')).toMatchObject({
      code: 2,
      text: expect.stringContaining('One module at a time'),
    });
    expect(await check('bank.ts', '--fil')).toMatchObject({ code: 2, text: expect.stringContaining("'--fil'") });
    expect(await check('broken.ts')).toMatchObject({ code: 1, text: expect.stringContaining('window is not defined') });
    expect(await check('two.ts')).toMatchObject({
      code: 2,
      text: expect.stringContaining('--export bank or --export other'),
    });
    expect(await varve('schema', 'lock', 'two.ts', '--export', 'other')).toMatchObject({ code: 0 });
    expect(await check('two.ts', '--export', 'third')).toMatchObject({
      code: 2,
      text: expect.stringContaining('"third"'),
    });
  });
});
