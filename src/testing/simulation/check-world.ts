import { brokenRules, sizeOf } from './bank.ts';
import { checkEvents, checkRows, readAll } from './check-look.ts';
import { type ServerCommit, toEventOf, toServerLog } from './server-log.ts';
import type { Invariant, Violation } from './violation.ts';
import { type Device, logId, type World } from './world.ts';

/** What must hold once all has come to rest. */
export async function checkWorld(
  world: World,
): Promise<{ readonly violations: readonly Violation[]; readonly refused: number }> {
  const violations: Violation[] = [];
  const add = (invariant: Invariant, text: string) => violations.push({ invariant, text });
  const { commits, problems } = await toServerLog(world.store, logId);
  for (const problem of problems) add('chain', problem);
  const refusals = new Map<string, ReadonlyMap<string, unknown>>();
  for (const device of world.devices) refusals.set(device.name, await readRefusals(device));

  checkServer(world, commits, add);
  checkSaved(world, commits, refusals, add);
  const events = commits.flatMap(toEventOf());
  violations.push(...checkEvents('the server', events));
  for (const device of world.devices) {
    await checkLog(device, commits, add);
    for (const tab of device.tabs) {
      for (const [projection, { mirror }] of tab.mirrors) {
        if (!mirror.loaded) add('diverged', `${device.name} never got the rows of ${projection}`);
        else violations.push(...checkRows(device.name, projection, mirror.rows, events));
      }
    }
    violations.push(...checkEvents(device.name, await readAll(device.log)));
  }
  const refused = new Set([...refusals.values()].flatMap((own) => [...own.keys()]));
  return { violations, refused: refused.size };
}

type Add = (invariant: Invariant, text: string) => void;

function checkServer({ sent, lapsed }: World, commits: readonly ServerCommit[], add: Add): void {
  const ids = new Set<string>();
  const lastSeq = new Map<string, number>();
  const links = new Set<string>();
  const state = { balances: new Map<string, number>(), beds: new Map<string, number>() };
  for (const { commit, digest, isRecovered, actor } of commits) {
    const { commandId, client, clientSeq, prev, events } = commit;
    const isLinked = clientSeq === 1 || links.has(`${client} ${clientSeq - 1} ${prev}`);
    links.add(`${client} ${clientSeq} ${digest}`);
    if (ids.has(commandId)) add('doubled', `${commandId} is on the server twice`);
    ids.add(commandId);
    const senders = sent.get(commandId);
    if (senders === undefined) add('doubled', `nobody sent ${commandId}`);
    if (events.some((event) => sizeOf(event) !== events.length))
      add('torn', `${commandId} has ${events.length} events`);
    const broken = brokenRules(events, state);
    // What a restored server is given back holds as it is, whatever stands before it now.
    if (!lapsed.has(commandId)) for (const text of broken) add('rules', `after ${commandId}, ${text}`);
    if (isRecovered) continue;
    if (!isLinked) add('author-order', `${commandId} follows a commit of its author that does not come before it`);
    if ((lastSeq.get(client) ?? 0) >= clientSeq) {
      add(
        'author-order',
        `${commandId} is number ${clientSeq} of ${client}, and comes after number ${lastSeq.get(client)}`,
      );
    }
    lastSeq.set(client, clientSeq);
    if (senders !== undefined && !senders.has(actor) && !lapsed.has(commandId)) {
      add('principal', `${commandId} was saved by ${[...senders].join(' or ')} and pushed by ${actor}`);
    }
  }
}

function checkSaved(
  { saved, gone, copied, devices, counts }: World,
  commits: readonly ServerCommit[],
  refusals: ReadonlyMap<string, ReadonlyMap<string, unknown>>,
  add: Add,
): void {
  const places = new Map(commits.map(({ commit }, index) => [commit.commandId, index]));
  const isUndisturbed = counts.clones + counts.rollbacks + counts.restores === 0;
  const ofDevice = new Map(devices.map((device) => [device.name, device]));
  const last = new Map<string, { readonly place: number; readonly commandId: string }>();
  for (const { commandId, device, era, isRepeated } of saved) {
    const place = places.get(commandId);
    const own = refusals.get(device)?.get(commandId);
    if (place === undefined) {
      if (gone.has(commandId)) continue;
      // A roll-back takes what is kept of refusals with it; another copy of the device may have it.
      const isKept =
        own !== undefined ||
        (ofDevice.get(device)?.isRolledBack && [...refusals.values()].some((all) => all.has(commandId)));
      if (!isKept) add('lost', `${commandId} was saved on ${device}, and is nowhere`);
      else if (own !== undefined && !hasReason(own)) add('lost', `${commandId} was refused without a reason`);
      continue;
    }
    if (own !== undefined && isUndisturbed) add('doubled', `${commandId} was refused, and is on the server`);
    if (commits[place]?.isRecovered || isRepeated || copied.has(commandId)) continue;
    const before = last.get(`${device} ${era}`);
    if (before !== undefined && before.place > place) {
      add('author-order', `${commandId} was saved on ${device} after ${before.commandId}, and comes before it`);
    }
    last.set(`${device} ${era}`, { place, commandId });
  }
}

/** Commit by commit; their digests were computed once, of the server's. */
async function checkLog({ name, log }: Device, commits: readonly ServerCommit[], add: Add): Promise<void> {
  const synced = await log.openSync();
  const [own, leftOver] = await synced.write(
    async ({ readAfter, beside }) =>
      [
        await readAfter(0),
        [...(await beside.list('orphan')), ...(await beside.list('note'))].map(([id]) => id),
      ] as const,
  );
  for (const [index, { commit, g, oh, digest, text }] of commits.entries()) {
    const found = own[index];
    if (found?.g === g && found.oh === oh && found.digest === digest && JSON.stringify(sorted(found.commit)) === text)
      continue;
    const what = found === undefined ? 'nothing' : `${found.commit.commandId} to ${found.g}`;
    return add('diverged', `${name} has ${what} where the server has ${commit.commandId} to ${g}`);
  }
  if (own.length > commits.length) {
    add('diverged', `${name} has ${own.length} commits, and the server ${commits.length}`);
  }
  if (leftOver.length > 0) add('diverged', `${name} keeps beside its log what it needs no more: ${leftOver.join(' ')}`);
}

/** As canonical JSON has its keys. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, field]) => [key, sorted(field)]));
}

async function readRefusals({ log }: Device): Promise<ReadonlyMap<string, unknown>> {
  const synced = await log.openSync();
  return new Map(await synced.write(({ beside }) => beside.list('refused')));
}

function hasReason(value: unknown): boolean {
  return /"code":"[^"]+"/.test(JSON.stringify(value));
}
