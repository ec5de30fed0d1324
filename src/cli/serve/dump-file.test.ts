import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, expect, it } from 'vitest';
import { createAuthor } from '../../server/fixtures/author.ts';
import { createTestServer } from '../../server/fixtures/test-server.ts';
import { createMemorySyncStore } from '../../server/memory-sync-store.ts';
import { readDumpLines, writeDump } from './dump-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'varve-dump-'));
afterAll(() => rmSync(folder, { recursive: true }));

async function linesOf(path: string): Promise<readonly string[]> {
  const lines: string[] = [];
  for await (const line of readDumpLines(path)) if (line !== '') lines.push(line);
  return lines;
}

it('the lines of a dump end where it ends them, whatever separators stand in what was saved', async () => {
  const store = createMemorySyncStore();
  const server = createTestServer(store);
  await server.hello();
  const ada = createAuthor('log-1', 'a');
  const text = 'pasted\u2028from\u2029notes\u0085 and 🗻';
  const commits = [text, 'y'.repeat(60_000)].map((note) =>
    ada.commit([{ stream: 'a-1', type: 'noted', version: 1, data: { note } }]),
  );
  await server.push(commits);
  const path = join(folder, 'dump.ndjson.gz');
  await writeDump(store, path);
  const lines = (await linesOf(path)).map((line) => JSON.parse(line));
  expect(lines.flatMap(({ commit }) => commit?.events ?? []).map(({ data }) => data.note)).toEqual([
    text,
    'y'.repeat(60_000),
  ]);
  expect(lines).toHaveLength(5);
});

it('a dump is read packed or not, and as an editor left it', async () => {
  const lines = ['{"a":1}', '{"b":2}'];
  writeFileSync(join(folder, 'plain.ndjson'), `${lines.join('\r\n')}\r\n`);
  writeFileSync(join(folder, 'packed.ndjson.gz.previous'), gzipSync(lines.join('\n')));
  const plain = await linesOf(join(folder, 'plain.ndjson'));
  expect(plain.map((line) => JSON.parse(line))).toEqual([{ a: 1 }, { b: 2 }]);
  expect(await linesOf(join(folder, 'packed.ndjson.gz.previous'))).toEqual(lines);
  await expect(linesOf(join(folder, 'missing.ndjson.gz'))).rejects.toThrow('ENOENT');
});
