// What is measured on a page, one function per metric. Each answers with values by metric; undefined is not measured.
import { readHeap } from './heap.mjs';
import { median, percentile } from './statistics.mjs';

/** Opens a contestant's page and waits until it shows what it must. */
export async function openPage(page, address, contestant, expected) {
  await page.goto(`${address}${contestant}.html`);
  return page.evaluate((summary) => window.bench.shownAt(summary), expected);
}

/** Navigation to correct rows, each time from an empty page; what it did to the main thread; what is in memory then. */
export async function measureColdStart({ page, address, contestant, expected, quick }) {
  const times = [];
  const stalls = [];
  for (let turn = 0; turn < (quick ? 2 : 3); turn += 1) {
    await page.goto('about:blank');
    await new Promise((resolve) => setTimeout(resolve, 200));
    times.push(await openPage(page, address, contestant, expected));
    stalls.push(await page.evaluate(() => window.bench.stall()));
  }
  const heap = await readHeap(page);
  return {
    'cold start': median(times),
    'longest task, cold start': Math.max(...stalls.map(({ longestMs }) => longestMs)),
    'blocking time, cold start': median(stalls.map(({ blockingMs }) => blockingMs)),
    'memory, page': heap.page,
    'memory, worker': heap.worker,
  };
}

export async function measureImport({ page, n, file }) {
  const { ms, stall } = await page.evaluate((address) => window.bench.importFile(address), file);
  return {
    import: n / (ms / 1000),
    'longest task, import': stall.longestMs,
    'blocking time, import': stall.blockingMs,
  };
}

export async function measureRebuild({ page, n }) {
  const { ms, stall } = await page.evaluate(() => window.bench.rebuild());
  return {
    rebuild: n / (ms / 1000),
    'rebuild time': ms,
    'longest task, rebuild': stall.longestMs,
    'blocking time, rebuild': stall.blockingMs,
  };
}

/** What a page feels of rows that are built beside those it shows, while its user goes on working. */
export async function measureRebuildUnderLoad({ page, nextSeed, quick }) {
  const sampling = { count: quick ? 10 : 200, budgetMs: quick ? 2_000 : 8_000, seed: nextSeed() };
  const { idleFrames, frames, visible } = await page.evaluate(
    (wanted) => window.bench.rebuildUnderLoad(wanted),
    sampling,
  );
  return {
    'frame p95, rebuilding, above idle': Math.max(0, percentile(frames, 0.95) - percentile(idleFrames, 0.95)),
    'visible p50, rebuilding': percentile(visible, 0.5),
  };
}

export async function measureVisible({ page, nextSeed, quick }) {
  const sampling = { count: quick ? 40 : 200, budgetMs: quick ? 2_000 : 15_000, seed: nextSeed() };
  const times = await page.evaluate((wanted) => window.bench.visible(wanted), sampling);
  return { 'visible p50': percentile(times, 0.5), 'visible p99': percentile(times, 0.99) };
}

export async function measureAppend({ page, nextSeed, quick }) {
  const sampling = { count: quick ? 300 : 1_000, budgetMs: quick ? 2_000 : 10_000, seed: nextSeed() };
  const times = await page.evaluate((wanted) => window.bench.append(wanted), sampling);
  return { 'append p50': percentile(times, 0.5) };
}

export async function measureConcurrent({ page, nextSeed, quick }) {
  const count = quick ? 200 : 1_000;
  const ms = await page.evaluate(
    ([number, seed]) => window.bench.appendConcurrently(number, seed),
    [count, nextSeed()],
  );
  return { 'append concurrent': count / (ms / 1000) };
}

/** From the call in one tab to the changed text in another. */
export async function measureTabs({ page, newPage, address, contestant, nextSeed, quick }) {
  const other = await newPage();
  await other.goto(`${address}${contestant}.html`);
  await other.waitForFunction(() => document.querySelector('[data-total]')?.textContent !== '');
  const times = [];
  const end = performance.now() + (quick ? 2_000 : 10_000);
  for (let turn = 0; turn < (quick ? 15 : 50) && performance.now() < end; turn += 1) {
    const account = `${turn % 50}`;
    await other.evaluate((changing) => {
      window.changeSeen = window.bench.seeChange(changing);
    }, account);
    const start = await page.evaluate(([changing, seed]) => window.bench.change(changing, seed), [account, nextSeed()]);
    times.push((await other.evaluate(() => window.changeSeen)) - start);
  }
  await other.close();
  return { 'tabs p50': percentile(times, 0.5) };
}

/** One stream per request, none of them touched before; then many streams that were, in one request. */
export async function measureAggregate({ page, n, quick }) {
  const streams = n / 100;
  const spread = (count, offset) =>
    Array.from({ length: count }, (_, index) => `${(offset + Math.floor((index * streams) / count)) % streams}`);
  const cold = spread(Math.min(quick ? 30 : 100, streams), 0);
  const coldTimes = await page.evaluate((accounts) => window.bench.loadEach(accounts), cold);
  const warm = spread(Math.min(500, streams), 1);
  await page.evaluate((accounts) => window.bench.loadTogether(accounts), warm);
  const warmMs = await page.evaluate((accounts) => window.bench.loadTogether(accounts), warm);
  return { 'aggregate load, cold p50': percentile(coldTimes, 0.5), 'aggregate load, warm': warmMs / warm.length };
}

/** A query's first window, from mount to rows on screen, and a changed one, from command to DOM; on rows that are folded. */
export async function measureQuery({ page, address, contestant, quick }) {
  await page.goto(`${address}${queryPage(contestant)}.html`);
  await page.evaluate(() => window.queryBench.load());
  const first = await page.evaluate((count) => window.queryBench.first(count), quick ? 3 : 5);
  const update = await page.evaluate((count) => window.queryBench.update(count), quick ? 40 : 100);
  return { 'query, first': median(first), 'query, update p50': percentile(update, 0.5) };
}

/** A device with a log that no server has seen: from its start until every event is confirmed. */
export async function measurePush({ page, address, n }) {
  await page.goto(`${address}varve-sync.html`);
  const ms = await page.evaluate((events) => window.syncBench.syncedAt(events), n);
  return { logId: await page.evaluate(() => window.syncBench.logId()), 'sync, push': n / (ms / 1000) };
}

/** A new device that joins a log: until something of it is shown, and until all is there and shown. */
export async function measureJoin({ page, address, n, logId, expected }) {
  await page.goto(`${address}varve-sync.html?log=${logId}`);
  const paintedMs = await page.evaluate(() => window.syncBench.paintedAt());
  await page.evaluate((events) => window.syncBench.syncedAt(events), n);
  const ms = await page.evaluate((summary) => window.bench.shownAt(summary), expected);
  return { 'sync, first paint of a joined log': paintedMs, 'sync, pull': n / (ms / 1000) };
}

/** Stores the rows that are queried. */
export async function fillRows({ page, address, contestant, n }) {
  await page.goto(`${address}${queryPage(contestant)}.html`);
  await page.evaluate((count) => window.queryBench.fill(count), n);
}

function queryPage(contestant) {
  return contestant === 'varve' ? 'query' : `query-${contestant}`;
}

/** The real bank statement; throws where an account's balance is not what was computed independently. */
export async function measureStatement({ page, file, expected }) {
  const ms = await page.evaluate((address) => window.bench.importStatement(address), file);
  const balances = new Map(await page.evaluate(() => window.bench.balances()));
  const wrong = Object.entries(expected.byAccount).filter(
    ([account, { balanceHellers }]) => balances.get(account) !== balanceHellers,
  );
  if (wrong.length > 0) throw new Error(`${wrong.length} balances are wrong, the first is of account ${wrong[0][0]}.`);
  return { 'bank statement': expected.transactions / (ms / 1000) };
}

/** Every keystroke of the manuscript; throws where the text is not the one that it must be. */
export async function measureManuscript({ page, address, file }) {
  await page.goto(`${address}manuscript.html`);
  const count = await page.evaluate((data) => window.manuscriptBench.load(data), file);
  const perSecond = ({ ms }) => count / (ms / 1000);
  const has = await page.evaluate(() => window.manuscriptBench.has);
  const requireRight = (after) =>
    page
      .waitForFunction(() => window.manuscriptBench.isRight(), undefined, { timeout: 30_000 })
      .catch(() => Promise.reject(new Error(`The manuscript's text is wrong after ${after}.`)));
  const memory = count / ((await page.evaluate(() => window.manuscriptBench.foldInMemory())) / 1000);
  const written = await page.evaluate(() => window.manuscriptBench.write());
  await requireRight('writing');
  let imported;
  let rebuilt;
  if (has.importFile) {
    imported = await page.evaluate(() => window.manuscriptBench.importAgain());
    await requireRight('the import');
  }
  if (has.rebuild) {
    rebuilt = await page.evaluate(() => window.manuscriptBench.rebuild());
    await requireRight('the rebuild');
  }
  await page.goto('about:blank');
  await page.goto(`${address}manuscript.html`);
  await page.evaluate((data) => window.manuscriptBench.load(data), file);
  await requireRight('a cold start');
  return {
    memory: { 'manuscript, rebuild': memory },
    varve: {
      'manuscript, write': perSecond(written),
      'manuscript, import': imported && perSecond(imported),
      'manuscript, rebuild': rebuilt && perSecond(rebuilt),
    },
  };
}
