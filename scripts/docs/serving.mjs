// The server of sync that the guide has its reader start: it goes on beside all that comes after.
import { spawn } from 'node:child_process';

/**
 * Runs `varve serve` as a line of the guide says, but on a port that is free.
 *
 * @param {string} main The command line of the installed package.
 * @param {string[]} args
 * @returns {Promise<{ port: string, stop: () => Promise<void> }>} once it serves
 */
export async function startServing(main, args, cwd) {
  const server = spawn(process.execPath, [main, ...args, '--port', '0'], {
    cwd,
    env: { ...process.env, NO_COLOR: '1' },
  });
  const kill = () => server.kill('SIGKILL');
  process.once('exit', kill);
  let said = '';
  const ended = new Promise((resolve) => server.once('exit', resolve));
  const port = await new Promise((resolve, reject) => {
    const hear = (chunk) => {
      said += chunk;
      const [, found] = /http:\/\/[\w.]+:(\d+) serves /.exec(said) ?? [];
      if (found !== undefined) resolve(found);
    };
    server.stdout.on('data', hear);
    server.stderr.on('data', hear);
    void ended.then(() => reject(new Error(`varve ${args.join(' ')} ended:\n${said}`)));
  });
  return {
    port,
    // As Ctrl+C does.
    stop: async () => {
      server.kill('SIGINT');
      await ended;
      process.off('exit', kill);
    },
  };
}
