// The writing of a paper, keystroke by keystroke: one stream, and one row that is the text.
import { defineAggregate, defineApp, defineEvents, defineProjection, shape } from 'varve';
import { editRope, emptyRope, type Rope } from './rope.ts';

export interface Edit {
  readonly at: number;
  readonly deleted: number;
  readonly inserted: string;
}

export const ManuscriptEvents = defineEvents({ Edited: shape<Edit>() });

export const Manuscript = defineAggregate('manuscript', {
  events: ManuscriptEvents,
  initialState: () => ({ length: 0 }),
  evolve: { Edited: ({ length }, { data }) => ({ length: length + data.inserted.length - data.deleted }) },
  commands: { edit: { input: shape<Edit>(), decide: (edit) => ManuscriptEvents.Edited(edit) } },
});

export const Texts = defineProjection('texts', {
  version: 1,
  from: [ManuscriptEvents],
  row: shape<{ rope: Rope }>(),
  on: {
    Edited: (row, { data }) => ({ rope: editRope(row?.rope ?? emptyRope, data.at, data.deleted, data.inserted) }),
  },
});

export const manuscript = defineApp({ name: 'benchManuscript', aggregates: [Manuscript], projections: [Texts] });
