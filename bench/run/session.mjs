import { browserArguments, findChromium } from '../../scripts/chromium.mjs';
import { untilUnused } from './profiles.mjs';

/** Runs `work` in a browser on a profile, and returns when that browser is gone again. Gives up after `patienceMs`. */
export async function withBrowser(profile, work, patienceMs = 600_000) {
  const { chromium } = await import('playwright-core');
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: findChromium(),
    args: [...browserArguments],
    // The suite ends in order: a browser that is killed goes on writing into a profile that is being removed.
    handleSIGINT: false,
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
