import { createReadStream, createWriteStream, existsSync, renameSync } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';
import { dumpStore } from '../../server/dump-store.ts';
import type { SyncStore } from '../../server/sync-store.ts';

/** Writes a dump beside the one before, and puts it in its place when it is whole; that one is kept as `….previous`. */
export async function writeDump(store: SyncStore, path: string): Promise<void> {
  const unfinished = `${path}.unfinished`;
  // Flushed: after a power cut a file may have its new name, and nothing in it.
  const file = createWriteStream(unfinished, { mode: 0o600, flush: true });
  await pipeline(Readable.from(dumpStore(store)), createGzip(), file);
  if (existsSync(path)) renameSync(path, `${path}.previous`);
  renameSync(unfinished, path);
}

/**
 * The lines of a dump, packed or not. They end at a line feed and nowhere else: Node's `readline` ends them at U+2028
 * and U+2029 too, since version 24, and canonical JSON has those as they are.
 */
export async function* readDumpLines(path: string): AsyncGenerator<string> {
  const file = createReadStream(path);
  const input = path.endsWith('.gz') || path.endsWith('.gz.previous') ? file.pipe(createGunzip()) : file;
  // An error of the file has to reach who reads the lines.
  file.on('error', (error) => input.destroy(error));
  input.setEncoding('utf8');
  let line: string[] = [];
  for await (const chunk of input) {
    const [end = '', ...others] = String(chunk).split('\n');
    line.push(end);
    for (const other of others) {
      yield line.join('');
      line = [other];
    }
  }
  yield line.join('');
}
