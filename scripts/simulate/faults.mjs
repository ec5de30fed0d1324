// Ten bugs that sync could have, each planted into the sources as they are: what `find` names must be there exactly once.
const host = 'src/engine/syncing/sync-host.ts';
const rebase = 'src/engine/syncing/rebase.ts';
const push = 'src/server/push-commits.ts';

export const faults = [
  {
    name: 'no deduplication',
    changes: [{ file: push, find: 'const same = known.get(commit.commandId);', replace: 'const same = undefined;' }],
  },
  {
    // What the server says that it has leaves the log before it was pulled.
    name: 'confirmed on acknowledgement',
    changes: [
      {
        file: host,
        find: 'acknowledged.add(ids);',
        replace: `
          const taken = new Set(ids.map(({ commandId }) => commandId));
          void write(async (transaction) => {
            const own = await transaction.readAfter(transaction.base.g);
            await transaction.cutAfter(transaction.base.g);
            for (const { commit } of own) if (!taken.has(commit.commandId)) await transaction.append(commit);
            for (const id of taken) transaction.beside.delete('note', id);
          });`,
      },
    ],
  },
  {
    name: 'cursor without hash',
    changes: [
      {
        file: push,
        find: '(await transaction.orderHash(base.g)) !== base.oh',
        replace: '(await transaction.orderHash(base.g)) === undefined',
      },
      {
        file: 'src/server/sync-handler.ts',
        find: 'if (known !== base.oh) throw diverged(head);',
        replace: 'if (known === undefined) throw diverged(head);',
      },
    ],
  },
  {
    // A page ends where its limit is reached, in the middle of a commit or not.
    name: 'torn pages',
    changes: [
      {
        file: 'src/server/memory-sync-store.ts',
        find: 'return log.commits.slice(start, end);',
        replace: `
          const page = log.commits.slice(start, end);
          const last = page.at(-1);
          if (last === undefined || last.commit.events.length <= limits.events) return page;
          const events = last.commit.events.slice(0, limits.events);
          const g = last.g - last.commit.events.length + events.length;
          return [...page.slice(0, -1), { ...last, g, text: JSON.stringify({ ...last.commit, events }) }];`,
      },
    ],
  },
  {
    // What a commit was decided on is not compared with what stands where it is placed.
    name: 'no compare-and-swap',
    changes: [
      {
        file: push,
        find: "if (actual !== revision) return { type: 'conflict', stream, revision: actual };",
        replace: '',
      },
    ],
  },
  {
    name: 'no fork check',
    changes: [
      { file: push, find: "if (slots.has(clientSeq)) return { type: 'forked', seq: clientSeq };", replace: '' },
      {
        file: push,
        find: "if (before !== undefined) return { type: 'forked', seq: clientSeq };",
        replace: 'if (before !== undefined) return undefined;',
      },
    ],
  },
  {
    // Of what is put after other commits, the later events are left behind.
    name: 'partial commit',
    changes: [
      {
        file: rebase,
        find: 'return { ...lineage, events, note };',
        replace: 'return { ...lineage, events: events.slice(0, 2), note };',
      },
    ],
  },
  {
    name: 'rebase without re-decide',
    changes: [{ file: rebase, find: 'note.mustDecide || disturbance.hits(note.decidedOn)', replace: 'false' }],
  },
  {
    name: 'pending pushed by another principal',
    changes: [
      {
        file: 'src/engine/syncing/read-push.ts',
        find: "note.principal !== '' && note.principal !== query.principal",
        replace: 'false',
      },
    ],
  },
  {
    name: 'backoff that stops',
    changes: [
      {
        file: 'src/sync/backoff.ts',
        find: 'const ceiling = Math.min(capMs, baseMs * 2 ** attempt);',
        replace: 'const ceiling = attempt < 4 ? baseMs * 2 ** attempt : Number.POSITIVE_INFINITY;',
      },
    ],
  },
];
