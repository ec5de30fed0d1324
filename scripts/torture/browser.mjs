// A browser on a profile of its own, the torture page in it, and what it acknowledged to the outside.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { browserArguments, findChromium } from '../chromium.mjs';
import { checkLog } from './check.mjs';

/** Longest wait for anything that a sound app does at once; beyond it the round has failed. */
const patienceMs = 20_000;

/** A profile directory, in which the log is, and what was acknowledged of it by command id. */
export function createProfile() {
  return { directory: mkdtempSync(join(tmpdir(), 'varve-torture-')), acknowledged: new Map() };
}

export function removeProfile({ directory }) {
  rmSync(directory, { recursive: true, force: true, maxRetries: 3 });
}

/** Opens the profile; a browser that is gone (killed, closed) can be followed by another one on the same profile. */
export async function openBrowser({ directory, acknowledged }, address) {
  const context = await chromium.launchPersistentContext(directory, {
    executablePath: findChromium(),
    args: [...browserArguments],
  });
  const listeners = new Set();
  await context.exposeBinding('acknowledge', ({ page }, answers) => {
    for (const answer of answers) {
      acknowledged.set(answer.commandId, answer);
      for (const listener of listeners) listener(answer, page);
    }
  });

  return {
    context,
    /**
     * Opens a page whose lanes send commands as soon as it runs, and again after every reload. `prepare` is given the
     * page before it loads anything.
     */
    openPage: async (lanes = 0, prepare = async () => {}) => {
      const page = await context.newPage();
      await prepare(page);
      page.on('pageerror', (error) => console.log(`  page error: ${error.message}`));
      await page.goto(`${address}?lanes=${lanes}`, { timeout: patienceMs });
      await untilBooted(page);
      return page;
    },
    /** The next answer that is `wanted`, which is told the page it came from. Ask before the disturbance, await after. */
    nextAnswer: (wanted = () => true, timeoutMs = patienceMs) => {
      let listener;
      const answer = new Promise((resolve) => {
        listener = (each, page) => wanted(each, page) && resolve(each);
        listeners.add(listener);
      });
      return within(answer, 'the next answer', timeoutMs).finally(() => listeners.delete(listener));
    },
    kill: async () => {
      const pids = browserPids(directory);
      if (pids.length === 0) throw new Error('The browser process was not found by its profile.');
      for (const pid of pids) process.kill(pid, 'SIGKILL');
      await untilGone(directory);
    },
    close: async () => {
      await within(context.close(), 'the end of the browser').catch(() => {
        for (const pid of browserPids(directory)) process.kill(pid, 'SIGKILL');
      });
      await untilGone(directory);
    },
  };
}

/** Runs on a browser that is closed afterwards, also where `run` throws: the next round must find the profile free. */
export async function inBrowser(profile, address, run) {
  const browser = await openBrowser(profile, address);
  try {
    return await run(browser);
  } finally {
    await browser.close();
  }
}

export async function untilBooted(page) {
  await page.waitForFunction(
    () => window.torture !== undefined && window.torture.state().phase !== 'booting',
    undefined,
    { timeout: patienceMs },
  );
}

/** Ends the lanes; resolves when every command that was open is answered. */
export function stopLanes(page) {
  return within(
    page.evaluate(() => window.torture.stop()),
    'an answer to every open command',
  );
}

/** What the page says of itself: phase, failure, head, refusals. */
export function readState(page) {
  return within(
    page.evaluate(() => window.torture.state()),
    'the state of the page',
  );
}

/** All that the page can read of the log, or the type of the failure that kept it from reading. */
export function inspectPage(page) {
  return within(
    page.evaluate(() => window.torture.inspect()),
    'the reading of the log',
    60_000,
  );
}

/** The problems of a log that nobody has damaged: it must open, and hold what was acknowledged. */
export async function checkPage(page, acknowledged) {
  const { failure, events, rows, verification } = await inspectPage(page);
  if (failure !== undefined) return { 'open failures': 1, text: failure };
  const { refusals } = await readState(page);
  const problems = { ...checkLog(events, rows, acknowledged), refused: refusals.length, text: refusals.join(' ') };
  if (verification.status === 'verified') return { ...problems, 'chain breaks': 0 };
  return { ...problems, 'chain breaks': 1, text: verification.text ?? verification.status };
}

/** The problems of a log whose browser is gone: opens the profile again. */
export function checkProfile(profile, address) {
  return inBrowser(profile, address, async (browser) => checkPage(await browser.openPage(), profile.acknowledged));
}

/**
 * Whether the browser itself has thrown away what the site had stored, and the app says so instead of beginning anew.
 *
 * Chromium keeps a database of which site has storage. Where that does not survive a kill (seen after about one in fifty),
 * it is made anew at the next start, and the folder of every site's IndexedDB is removed with it.
 */
export async function wasWiped({ directory }, page) {
  const { failure } = await readState(page);
  if (failure !== 'storage.reset') return false;
  const folder = join(directory, 'Default/IndexedDB');
  return readdirSync(folder).some((name) => {
    const log = join(folder, name, 'LOG');
    return existsSync(log) && readFileSync(log, 'utf8').includes('since it was missing');
  });
}

export async function within(promise, what, timeoutMs = patienceMs) {
  let timer;
  const timeout = new Promise((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`Waited ${timeoutMs / 1000} s in vain for ${what}.`)), timeoutMs);
  });
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    clearTimeout(timer);
  }
}

export function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** The browser's own processes: on this profile and not of a `--type`. Debian's is a shell script around the real one. */
function browserPids(directory) {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        const args = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
        return args.includes(`--user-data-dir=${directory}`) && !args.some((arg) => arg.startsWith('--type='));
      } catch {
        // It ended while we looked.
        return false;
      }
    });
}

/** Playwright does not always notice that a browser was killed: the process table does. */
async function untilGone(directory) {
  while (browserPids(directory).length > 0) await pause(10);
}
