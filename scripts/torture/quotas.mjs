import { checkPage, createProfile, inBrowser, pause, removeProfile, within } from './browser.mjs';

const megabyte = 1024 * 1024;

/** Chromium remembers for some seconds how much room there was. */
const liftedWithinMs = 30_000;

/** Fills a small quota until commands fail: typed, nothing partial, and the next command succeeds once there is room. */
export async function runQuotas(count, { address, report }) {
  for (let round = 1; round <= count; round += 1) {
    const profile = createProfile();
    await report.round('quota', round, (random) =>
      inBrowser(profile, address, (browser) => fillQuota(browser, profile, address, random)),
    );
    report.noteProfile(profile);
    removeProfile(profile);
  }
}

async function fillQuota(browser, { acknowledged }, address, random) {
  const { origin } = new URL(address);
  const quotaSize = Math.round(random.between(1, 8) * megabyte);
  let session;
  // Before the first write: a quota that comes later is noticed only when the remembered room is used up.
  const page = await browser.openPage(0, async (blank) => {
    session = await browser.context.newCDPSession(blank);
    await session.send('Storage.overrideQuotaForOrigin', { origin, quotaSize });
  });

  const answers = [];
  for (let sent = 0; sent < 4 * quotaSize && answers.every((answer) => answer === 'saved'); ) {
    const size = { events: random.whole(1, 12), bytesEach: random.whole(1000, 60_000) };
    const together = random.whole(1, 3);
    answers.push(...(await sendTogether(page, size, together)));
    sent += size.events * size.bytesEach * together;
  }
  const refused = answers.filter((answer) => answer !== 'saved');
  const full = await checkPage(page, acknowledged);

  await session.send('Storage.overrideQuotaForOrigin', { origin });
  const liftedAt = performance.now();
  let after = [];
  while (after.at(-1) !== 'saved' && performance.now() - liftedAt < liftedWithinMs) {
    after = [...after, ...(await sendTogether(page, { events: 2, bytesEach: 20_000 }, 1))];
    if (after.at(-1) !== 'saved') await pause(200);
  }
  const againMs = Math.round(performance.now() - liftedAt);
  const untyped = [...refused, ...after].filter((answer) => answer !== 'saved' && answer !== 'storage.quota-exceeded');
  await page.reload();
  return {
    ...add(full, await checkPage(page, acknowledged)),
    'quota ignored': refused.length === 0 ? 1 : 0,
    untyped: untyped.length,
    'not again': after.at(-1) === 'saved' ? 0 : 1,
    text: `${(quotaSize / megabyte).toFixed(1)} MB, full after ${answers.length} commands, saved again after ${againMs} ms ${untyped.join(' ')}`,
  };
}

function sendTogether(page, size, together) {
  const sending = page.evaluate(
    ([{ events, bytesEach }, commands]) =>
      Promise.all(Array.from({ length: commands }, () => window.torture.send(events, bytesEach))),
    [size, together],
  );
  return within(sending, 'answers about a full disk');
}

function add(one, other) {
  return Object.fromEntries(Object.entries(one).map(([name, value]) => [name, value + other[name]]));
}
