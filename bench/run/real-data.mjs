import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { root } from '../../scripts/installed.mjs';

/** Real data lies beside the project, or where VARVE_DATA says; it is not part of it. */
export function findRealData(filesDir) {
  const folder = process.env.VARVE_DATA ?? join(root, '../shared/data');
  /** Unpacks a file to where the pages can fetch it; undefined where it is missing. */
  const unpack = (packed, name) => {
    const path = join(folder, packed);
    if (!existsSync(path)) return undefined;
    writeFileSync(join(filesDir, name), gunzipSync(readFileSync(path)));
    return `/files/${name}`;
  };
  const expectedPath = join(folder, 'bank-transactions-1993.expected.json');
  return {
    folder,
    manuscript: () => {
      const file = unpack('manuscript-edits.json.gz', 'manuscript.json');
      if (file === undefined) return undefined;
      const { txns } = JSON.parse(readFileSync(join(filesDir, 'manuscript.json'), 'utf8'));
      return { file, count: txns.reduce((sum, { patches }) => sum + patches.length, 0) };
    },
    bank: () => {
      const file = existsSync(expectedPath) ? unpack('bank-transactions-1993.csv.gz', 'bank.csv') : undefined;
      return file && { file, expected: JSON.parse(readFileSync(expectedPath, 'utf8')) };
    },
  };
}
