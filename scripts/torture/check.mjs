/**
 * Checks a log, read back after a disturbance, against what was acknowledged before it.
 *
 * `events`: `[position, stream, revision, id, of]` in the order they were read; `rows`: `[stream id, count]` of the
 * projection; `acknowledged`: `{ commandId, position, events }` by command id.
 *
 * Returns how many of each problem there are: acknowledged commits `lost`, events `doubled`, commits `torn`, `gaps` in
 * positions and revisions, and `wrong rows`.
 */
export function checkLog(events, rows, acknowledged) {
  const problems = { lost: 0, doubled: 0, torn: 0, gaps: 0, 'wrong rows': 0 };
  const ids = new Set();
  const commits = new Map();
  const revisions = new Map();
  const counts = new Map();
  for (const [index, [position, stream, revision, id, of]] of events.entries()) {
    if (position !== index + 1) problems.gaps += 1;
    if (revision !== (revisions.get(stream) ?? -1) + 1) problems.gaps += 1;
    revisions.set(stream, revision);
    if (ids.has(id)) problems.doubled += 1;
    ids.add(id);
    const commandId = id.slice(0, id.lastIndexOf('.'));
    const commit = commits.get(commandId) ?? { first: position, last: position, count: 0, of };
    commits.set(commandId, { ...commit, last: position, count: commit.count + 1 });
    const key = stream.slice(stream.indexOf('-') + 1);
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  for (const { first, last, count, of } of commits.values()) {
    if (count > of) problems.doubled += 1;
    else if (count < of || last - first + 1 !== count) problems.torn += 1;
  }
  for (const { commandId, position, events: count } of acknowledged.values()) {
    const commit = commits.get(commandId);
    if (commit === undefined || commit.count !== count || commit.last !== position) problems.lost += 1;
  }
  const rowCounts = new Map(rows);
  for (const key of new Set([...counts.keys(), ...rowCounts.keys()])) {
    if (counts.get(key) !== rowCounts.get(key)) problems['wrong rows'] += 1;
  }
  return problems;
}
