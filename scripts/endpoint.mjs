// A server of sync on this machine: `varve serve` in a process of its own, so that it can be ended, and killed, alone.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { root } from './installed.mjs';

/**
 * Starts it on a folder; port 0 is any that is free. Rejects with what it printed where it cannot start.
 */
export async function startEndpoint({ dir, port = 0, args = [] }) {
  // The sources are TypeScript, which Node 20 does not read: the loader of the command line does.
  const loader = join(root, 'node_modules/jiti/lib/jiti-cli.mjs');
  const command = [loader, join(root, 'src/cli/main.ts'), 'serve', '--dir', dir, '--port', String(port), ...args];
  // A database and a token of the environment are not meant for a demo.
  const { DATABASE_URL: _url, VARVE_TOKEN: _token, ...env } = process.env;
  const child = spawn(process.execPath, command, {
    cwd: root,
    env: { ...env, NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  const ended = new Promise((resolve) => child.once('close', resolve));
  const listening = new Promise((resolve) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk) => {
        text += chunk;
        if (text.includes('Ctrl+C')) resolve();
      });
    }
  });
  const end = () => child.kill('SIGTERM');
  process.once('exit', end);
  void ended.then(() => process.off('exit', end));
  await Promise.race([listening, ended]);
  const url = /http:\/\/\S+/.exec(text)?.[0];
  const token = readToken(dir, args);
  if (url === undefined || token === undefined) throw new Error(text.trim() || 'varve serve ended without a word.');
  return {
    url,
    token,
    /** Resolves when it has ended, however it did. */
    ended,
    /** Lets it finish what is open, and dump. */
    stop: async () => {
      end();
      await ended;
    },
    kill: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

/** Given, or minted into the folder; undefined where the server has ended before. */
function readToken(dir, args) {
  if (args.includes('--token')) return args[args.indexOf('--token') + 1];
  const file = resolve(root, dir, 'token');
  return existsSync(file) ? readFileSync(file, 'utf8').trim() : undefined;
}
