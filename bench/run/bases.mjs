import { measureImport, openPage } from './cells.mjs';
import { withBrowser } from './session.mjs';

/** What a page with an empty log shows. */
export const empty = { total: 0, newest: '' };

/**
 * Makes the files of a size, and says what a page must show once they are in: the one that the hand-written contestants
 * import, and Varve's own, where its client can write one.
 */
export async function prepareFiles({ profiles, address, say }, size, name) {
  const seeded = profiles.fresh();
  say(`preparing n = ${size.count.toLocaleString('en')} on ${size.accounts.toLocaleString('en')} accounts`);
  const prepare = async ({ page }) => {
    await page.goto(`${address}prepare.html`);
    const file = `/files/${name}.ndjson`;
    const summary = await page.evaluate(([to, wanted]) => window.preparation.writeFile(to, wanted), [file, size]);
    await page.evaluate((wanted) => window.preparation.seedVarve(wanted), size);
    const varveFile = `/files/${name}-varve.ndjson`;
    const isWritten = await page.evaluate((to) => window.preparation.exportVarve(to), varveFile);
    return { summary, file, varveFile: isWritten ? varveFile : undefined };
  };
  // A million commands, each a commit of its own, take their time.
  const prepared = await withBrowser(seeded, prepare, 3_600_000);
  // Where Varve's client writes no file, its log comes from this profile.
  return { ...prepared, seeded };
}

/** What a contestant imports; undefined where it cannot. */
export function fileOf(contestant, prepared) {
  return contestant === 'varve' ? prepared.varveFile : prepared.file;
}

/** A profile that holds the log and has shown it once, with what importing it took. Every measurement gets a copy of it. */
export async function createBase(suite, contestant, n, prepared) {
  const hasFile = fileOf(contestant, prepared) !== undefined;
  const profile = hasFile ? suite.profiles.fresh() : suite.profiles.copy(prepared.seeded);
  const imported = hasFile ? await importInto(suite, profile, contestant, n, prepared) : undefined;
  await showOnce(suite, profile, contestant, prepared.summary);
  return { profile, imported };
}

/** A profile that has shown an empty log once. */
export async function createEmptyBase(suite, contestant) {
  const profile = suite.profiles.fresh();
  await showOnce(suite, profile, contestant, empty);
  return profile;
}

/** Imports into a profile that holds nothing. */
export function importInto({ address }, profile, contestant, n, prepared) {
  return withBrowser(profile, async ({ page }) => {
    await openPage(page, address, contestant, empty);
    return measureImport({ page, n, file: fileOf(contestant, prepared) });
  });
}

function showOnce({ address, quick }, profile, contestant, summary) {
  return withBrowser(profile, async ({ page }) => {
    await openPage(page, address, contestant, summary);
    // Time for what a contestant puts off until it is idle.
    await new Promise((resolve) => setTimeout(resolve, quick ? 500 : 3_000));
  });
}
