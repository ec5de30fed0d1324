import { browserArguments, findChromium } from '../../scripts/chromium.mjs';
import { untilUnused } from './profiles.mjs';

/** So that memory can be read after a collection, and exactly; neither changes how code runs. */
const memoryArguments = ['--js-flags=--expose-gc', '--enable-precise-memory-info'];

/** Longest that a cell may take before it is given up. */
const patienceMs = 600_000;

/** Runs `work` in a browser on a profile, and returns when that browser is gone again. */
export async function withBrowser(profile, work) {
  const { chromium } = await import('playwright-core');
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: findChromium(),
    args: [...browserArguments, ...memoryArguments],
  });
  const errors = [];
  const open = (page) => {
    page.on('pageerror', (error) => errors.push(error.message));
    return page;
  };
  const page = open(context.pages()[0] ?? (await context.newPage()));
  let timer;
  try {
    const late = new Promise((_resolve, reject) => {
      timer = setTimeout(() => reject(new Error(`no answer within ${patienceMs / 1000} s`)), patienceMs);
    });
    return await Promise.race([work({ page, newPage: async () => open(await context.newPage()) }), late]);
  } catch (error) {
    throw errors.length === 0 ? error : new Error(`${error.message} (page: ${errors[0]})`);
  } finally {
    clearTimeout(timer);
    await context.close();
    await untilUnused(profile);
  }
}

/** Collects garbage, then the megabytes of JavaScript heap of a page and of its worker (undefined where there is none). */
export async function readHeap(page) {
  const read = () => {
    globalThis.gc?.();
    return performance.memory?.usedJSHeapSize;
  };
  const worker = page.workers()[0];
  const [pageBytes, workerBytes] = [await page.evaluate(read), await worker?.evaluate(read)];
  return { page: toMegabytes(pageBytes), worker: toMegabytes(workerBytes) };
}

function toMegabytes(bytes) {
  return bytes === undefined ? undefined : bytes / 1_000_000;
}
