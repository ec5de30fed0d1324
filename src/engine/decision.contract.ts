import { describe, expect, it } from 'vitest';
import { type Client, createClient } from '../client/client.ts';
import {
  defineAggregate,
  defineApp,
  defineDecision,
  defineEvents,
  reject,
  shape,
  versions,
  view,
} from '../core/index.ts';
import type { EventLog } from '../log/event-log.ts';
import { createInProcessWorker, createTestEnv } from '../testing/in-process-worker.ts';

// The course example of dcb.events: a rule about a course and one about a student, in one decision.
const CourseEvents = defineEvents({
  CourseDefined: shape<{ course: string; capacity: number }>(),
  StudentSubscribed: versions(shape<{ course: string; pupil: string }>())
    .to(shape<{ course: string; student: string }>(), ({ course, pupil }) => ({ course, student: pupil }))
    .formerly('PupilSubscribed'),
});

const seats = view({
  from: [CourseEvents],
  initialState: () => ({ capacity: 0, taken: 0 }),
  on: {
    CourseDefined: (state, { data }) => ({ ...state, capacity: data.capacity }),
    StudentSubscribed: (state) => ({ ...state, taken: state.taken + 1 }),
  },
});

const courses = view({
  from: [CourseEvents],
  initialState: (): readonly string[] => [],
  on: { StudentSubscribed: (state, { data }) => [...state, data.course] },
});

// What is decided across streams is seen by the aggregate whose stream it goes to.
const Course = defineAggregate('course', {
  events: CourseEvents,
  initialState: () => ({ capacity: 0 }),
  evolve: { CourseDefined: (_state, { data }) => ({ capacity: data.capacity }), StudentSubscribed: (state) => state },
  commands: {
    double: {
      input: shape<object>(),
      decide: (_input, { capacity }, { id }) =>
        capacity === 0
          ? reject('not-defined')
          : CourseEvents.CourseDefined({ course: id, capacity: 2 * capacity }, [`course:${id}`]),
    },
  },
});

const define = defineDecision('define', {
  events: CourseEvents,
  input: shape<{ course: string; capacity: number }>(),
  reads: ({ course }) => ({ seats: seats(`course:${course}`) }),
  stream: ({ course }) => [Course, course],
  decide: ({ course, capacity }, { seats }) =>
    seats.capacity === capacity ? [] : CourseEvents.CourseDefined({ course, capacity }, [`course:${course}`]),
});

const subscribe = defineDecision('subscribe', {
  events: CourseEvents,
  input: shape<{ course: string; student: string }>(),
  reads: ({ course, student }) => ({ seats: seats(`course:${course}`), courses: courses(`student:${student}`) }),
  decide: ({ course, student }, { seats, courses }) => {
    if (seats.taken >= seats.capacity) return reject('course-full', { capacity: seats.capacity });
    if (courses.includes(course)) return [];
    if (courses.length >= 2) return reject('too-many-courses');
    return CourseEvents.StudentSubscribed({ course, student }, [`course:${course}`, `student:${student}`]);
  },
});

const app = defineApp({ name: 'school', aggregates: [Course], projections: [], decisions: [define, subscribe] });

/** `open` opens the same log once more, as another tab does. */
export function describeDecisions(openStorage: () => Promise<() => Promise<EventLog>>): void {
  async function openTabs(count: number): Promise<readonly Client[]> {
    const open = await openStorage();
    const env = createTestEnv();
    return Promise.all(
      Array.from({ length: count }, async () => {
        const log = await open();
        return createClient(app, () => createInProcessWorker({ app, log, env }), { askToPersist: false });
      }),
    );
  }

  describe('a decision across streams', () => {
    it('decides on what its views read, and stores its events under their tags', async () => {
      const [tab] = (await openTabs(1)) as [Client];
      expect(await tab.execute(define, { course: 'c1', capacity: 1 })).toMatchObject({
        status: 'saved',
        stream: 'course-c1',
        revision: 0,
        events: 1,
      });
      expect(await tab.execute(define, { course: 'c1', capacity: 1 })).toMatchObject({ status: 'saved', events: 0 });
      expect(await tab.execute(subscribe, { course: 'c1', student: 'ada' })).toMatchObject({ status: 'saved' });
      expect(await tab.execute(subscribe, { course: 'c1', student: 'ben' })).toMatchObject({
        status: 'rejected',
        rejection: { code: 'course-full', details: { capacity: 1 } },
      });
      const found = [];
      for await (const { data } of tab.read({ tags: ['student:ada'] })) found.push(data);
      expect(found).toEqual([{ course: 'c1', student: 'ada' }]);
      await tab.close();
    });

    it('stores in the stream of an aggregate, which then decides on it', async () => {
      const [tab, other] = (await openTabs(2)) as [Client, Client];
      expect(await tab.execute(Course, 'c1', 'double')).toMatchObject({ rejection: { code: 'not-defined' } });
      const [defined, doubled] = await Promise.all([
        tab.execute(define, { course: 'c1', capacity: 4 }),
        tab.execute(Course, 'c1', 'double'),
      ]);
      expect([defined, doubled]).toMatchObject([
        { status: 'saved', stream: 'course-c1', revision: 0 },
        { status: 'saved', stream: 'course-c1', revision: 1 },
      ]);
      expect(await other.execute(define, { course: 'c1', capacity: 8 })).toMatchObject({ events: 0, revision: 1 });
      expect(await other.execute(Course, 'c1', 'double')).toMatchObject({ revision: 2 });
      await Promise.all([tab.close(), other.close()]);
    });

    it('keeps its rule however many tabs decide at once', async () => {
      const tabs = await openTabs(3);
      const students = Array.from({ length: 30 }, (_, index) => `s${index}`);
      for (const course of ['c1', 'c2', 'c3']) await tabs[0]?.execute(define, { course, capacity: 7 });
      const receipts = await Promise.all(
        students.flatMap((student, index) =>
          ['c1', 'c2', 'c3'].map((course) => tabs[index % tabs.length]?.execute(subscribe, { course, student })),
        ),
      );
      const taken = new Map<string, number>();
      const perStudent = new Map<string, number>();
      for await (const { data, type } of (tabs[0] as Client).read()) {
        if (type !== 'StudentSubscribed') continue;
        const { course, student } = data as { course: string; student: string };
        taken.set(course, (taken.get(course) ?? 0) + 1);
        perStudent.set(student, (perStudent.get(student) ?? 0) + 1);
      }
      expect([...taken].sort()).toEqual([
        ['c1', 7],
        ['c2', 7],
        ['c3', 7],
      ]);
      expect(Math.max(...perStudent.values())).toBeLessThanOrEqual(2);
      expect(receipts.filter((receipt) => receipt?.status === 'saved')).toHaveLength(21);
      await Promise.all(tabs.map((tab) => tab.close()));
    });

    it('stores nothing twice where it is sent twice', async () => {
      const [tab, other] = (await openTabs(2)) as [Client, Client];
      await tab.execute(define, { course: 'c1', capacity: 9 });
      const once = await tab.execute(subscribe, { course: 'c1', student: 'ada' }, { commandId: 'x' });
      expect(await other.execute(subscribe, { course: 'c1', student: 'ada' }, { commandId: 'x' })).toEqual(once);
      await Promise.all([tab.close(), other.close()]);
    });

    it('does not go on from a state of which another tab has changed the ground', async () => {
      const [tab, other] = (await openTabs(2)) as [Client, Client];
      await tab.execute(define, { course: 'c1', capacity: 1 });
      expect(await tab.execute(define, { course: 'c1', capacity: 1 })).toMatchObject({ events: 0 });
      await other.execute(define, { course: 'c1', capacity: 5 });
      expect(await tab.execute(define, { course: 'c1', capacity: 1 })).toMatchObject({ events: 1 });
      await Promise.all([tab.close(), other.close()]);
    });

    it('reads events in their newest form, also where they were stored under another name', async () => {
      const open = await openStorage();
      const log = await open();
      const data = { course: 'c1', pupil: 'ada' };
      const tags = ['course:c1', 'student:ada'];
      await log.write((transaction) =>
        transaction.append({
          commandId: 'old',
          correlationId: 'old',
          recordedAt: 0,
          events: [{ stream: 'old-1', type: 'PupilSubscribed', version: 1, data, tags }],
        }),
      );
      const tab = createClient(app, () => createInProcessWorker({ app, log }), { askToPersist: false });
      await tab.execute(define, { course: 'c1', capacity: 1 });
      expect(await tab.execute(subscribe, { course: 'c1', student: 'ben' })).toMatchObject({
        rejection: { code: 'course-full' },
      });
      await tab.close();
    });

    it('is refused where an event that it depends on cannot be read', async () => {
      const open = await openStorage();
      const log = await open();
      const data = { course: 'c1', rooms: [] };
      await log.write((transaction) =>
        transaction.append({
          commandId: 'newer',
          correlationId: 'newer',
          recordedAt: 0,
          events: [{ stream: 'course-c1', type: 'CourseDefined', version: 2, data, tags: ['course:c1'] }],
        }),
      );
      const tab = createClient(app, () => createInProcessWorker({ app, log }), { askToPersist: false });
      expect(await tab.execute(define, { course: 'c1', capacity: 1 })).toMatchObject({
        status: 'failed',
        failure: { type: 'event.future', eventType: 'CourseDefined', version: 2 },
      });
      expect(await tab.execute(define, { course: 'c2', capacity: 1 })).toMatchObject({ status: 'saved' });
      await tab.close();
    });

    it('says invalid input as a command does, and no other decision is disturbed by a bug in one', async () => {
      const [tab] = (await openTabs(1)) as [Client];
      const unknown = { ...define, name: 'unknown' as const };
      const [bug, saved] = await Promise.allSettled([
        tab.execute(unknown, { course: 'c1', capacity: 1 }),
        tab.execute(define, { course: 'c1', capacity: 1 }),
      ]);
      expect(bug).toMatchObject({
        status: 'rejected',
        reason: { message: expect.stringContaining('no decision "unknown"') },
      });
      expect(saved).toMatchObject({ status: 'fulfilled', value: { status: 'saved' } });
      await tab.close();
    });
  });
}
