import { readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import {
  createProfile,
  inBrowser,
  inspectPage,
  pause,
  readState,
  removeProfile,
  stopLanes,
  untilBooted,
} from './browser.mjs';
import { judgeVisit, typedRefusals } from './judge-visit.mjs';

/** The page writes its hint at most once a second: after this long it knows of every event. */
const hintMs = 1200;

/**
 * Takes the events away behind the app's back, or damages them, in turn: never may what is left be shown as if it were
 * all there was.
 */
export async function runClears(count, { address, report }) {
  const takes = { clearOpen, clearBetweenVisits, truncateFile, flipBytes };
  for (let round = 1; round <= count; round += 1) {
    const profile = createProfile();
    const [name, take] = Object.entries(takes)[(round - 1) % Object.keys(takes).length];
    await report.round('clear', round, async (random) => {
      const { text, ...problems } = await take(profile, address, random);
      return { ...problems, text: `${name}: ${text}` };
    });
    report.noteProfile(profile);
    removeProfile(profile);
  }
}

/** Site data is cleared while commands run; the page is asked at once, and its next visit. */
function clearOpen(profile, address, random) {
  return inBrowser(profile, address, async (browser) => {
    const answered = browser.nextAnswer();
    const page = await browser.openPage(random.whole(1, 8));
    await answered;
    await pause(random.between(20, 1500));
    await clearIndexedDb(browser, page, address);
    for (let waited = 0; waited < 2000 && (await readState(page)).phase === 'ready'; waited += 50) await pause(50);
    await stopLanes(page);
    const open = await judge(page, profile.acknowledged);
    const { refusals } = await readState(page);
    const untyped = refusals.filter((type) => !typedRefusals.has(type));
    await page.goto(address);
    await untilBooted(page);
    const next = await judge(page, profile.acknowledged);
    return {
      ...next,
      'accepted empty': open['accepted empty'] + next['accepted empty'],
      undetected: open.undetected + next.undetected,
      untyped: open.untyped + next.untyped + untyped.length,
      text: `open ${open.text}, next visit ${next.text} ${untyped.join(' ')}`,
    };
  });
}

async function clearBetweenVisits(profile, address, random) {
  const visitAgain = async (browser) => judge(await browser.openPage(), profile.acknowledged);
  const restart = random.pick([true, false]);
  const first = await inBrowser(profile, address, async (browser) => {
    await visit(browser, random);
    const blank = await browser.context.newPage();
    await clearIndexedDb(browser, blank, address);
    return restart ? undefined : visitAgain(browser);
  });
  return first ?? inBrowser(profile, address, visitAgain);
}

/** A file of the database ends early: a disk that lost its last blocks. */
function truncateFile(profile, address, random) {
  return damage(profile, address, random, (file, bytes) => {
    const length = random.whole(0, bytes.length - 1);
    truncateSync(file, length);
    return `${basename(file)} ${bytes.length} → ${length} bytes`;
  });
}

/** Some bytes of the database are others: a disk that rots. */
function flipBytes(profile, address, random) {
  return damage(profile, address, random, (file, bytes) => {
    const flips = random.whole(1, 32);
    for (let flip = 0; flip < flips; flip += 1) bytes[random.whole(0, bytes.length - 1)] ^= random.whole(1, 255);
    writeFileSync(file, bytes);
    return `${basename(file)} ${flips} of ${bytes.length} bytes`;
  });
}

async function damage(profile, address, random, change) {
  // Every opening writes the database's journal into a table file: later visits leave more kinds of files to damage.
  for (let visits = random.whole(1, 3); visits > 0; visits -= 1) {
    await inBrowser(profile, address, (browser) => visit(browser, random));
  }
  const folder = join(profile.directory, 'Default/IndexedDB');
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !/^(LOCK|LOG|LOG\.old)$/.test(entry.name))
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .filter((file) => readFileSync(file).length > 0)
    .sort();
  // Events are in journals, tables and blobs; the two files that only name those are small and would be hit too often.
  const data = files.filter((file) => !/^(CURRENT|MANIFEST)/.test(basename(file)));
  const file = random.pick(random.pick([data, data, data, files]));
  const done = change(file, readFileSync(file));
  const verdict = await inBrowser(profile, address, async (browser) =>
    judge(await browser.openPage(), profile.acknowledged),
  );
  return { ...verdict, text: `${done}, ${verdict.text}` };
}

/** A visit that leaves events, and a hint that knows of all of them. */
async function visit(browser, random) {
  const answered = browser.nextAnswer();
  const page = await browser.openPage(random.whole(1, 8));
  await answered;
  await pause(random.between(100, 1500));
  await stopLanes(page);
  await pause(hintMs);
  await page.close();
}

async function clearIndexedDb(browser, page, address) {
  const session = await browser.context.newCDPSession(page);
  const { origin } = new URL(address);
  await session.send('Storage.clearDataForOrigin', { origin, storageTypes: 'indexeddb' });
}

async function judge(page, acknowledged) {
  const state = await readState(page);
  const found = state.phase === 'ready' ? await inspectPage(page).catch((error) => ({ error })) : {};
  return judgeVisit(state, found, acknowledged);
}
