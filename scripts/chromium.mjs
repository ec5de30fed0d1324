// Finds a Chromium on any machine, and fetches one where there is none.
//
// Order: the variable VARVE_CHROMIUM, Playwright's own download, what is on PATH; with install: Playwright's
// download (fails fast where it is blocked), then Debian's package where apt and root are there.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';

/** For a machine without internet: keeps Chromium from calling home, which fails slowly and many at a time. */
export const browserArguments = Object.freeze([
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]);

/** The path of a Chromium that answers `--version`, or undefined. */
export function findChromium(names = ['chromium-headless-shell', 'chromium', 'google-chrome', 'google-chrome-stable']) {
  const candidates = [process.env.VARVE_CHROMIUM, playwrightChromium(), ...names.map(onPath)];
  return candidates.find((path) => path && answersVersion(path));
}

/** The full browser with its user interface code: the headless shell knows nothing of installing an app. */
export function findFullChromium() {
  return findChromium(['chromium', 'google-chrome', 'google-chrome-stable']);
}

/** Finds the browsers or installs them; throws where neither works. */
export function requireChromium() {
  if (findChromium() && findFullChromium()) return;
  console.log('No Chromium found; fetching one.');
  run('npx', ['playwright', 'install', 'chromium']);
  if (findChromium()) return;
  if (process.getuid?.() === 0 && onPath('apt-get')) {
    run('apt-get', ['update', '-q']);
    run('apt-get', ['install', '-y', '-q', '--no-install-recommends', 'chromium-headless-shell', 'chromium']);
  }
  if (!findChromium()) {
    throw new Error(
      'No Chromium was found and none could be fetched. Install Chromium or Chrome, or set VARVE_CHROMIUM to its path.',
    );
  }
}

function playwrightChromium() {
  try {
    const path = createRequire(import.meta.url)('playwright-core').chromium.executablePath();
    return existsSync(path) ? path : undefined;
  } catch {
    return undefined;
  }
}

function onPath(name) {
  const found = spawnSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' });
  return found.status === 0 ? found.stdout.trim() : undefined;
}

// Some systems ship a stub that only says how to install the real thing.
function answersVersion(path) {
  const answer = spawnSync(path, ['--version', '--no-sandbox'], { encoding: 'utf8', timeout: 20_000 });
  return answer.status === 0 && /\d+\.\d+/.test(answer.stdout);
}

function run(command, args) {
  return spawnSync(command, args, {
    stdio: 'inherit',
    timeout: 600_000,
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  });
}
