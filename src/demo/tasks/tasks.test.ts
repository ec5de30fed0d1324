import { command } from 'varve';
import { createClient } from 'varve/client';
import { createInProcessWorker, createMemoryEventLog, projectionSpec, spec } from 'varve/testing';
import { describe, expect, it } from 'vitest';
import { Todo, TodoEvents, Todos, tasks } from './tasks.ts';

const added = TodoEvents.Added({ title: 'Buy milk' });
const completed = TodoEvents.Completed();
const reopened = TodoEvents.Reopened();
const removed = TodoEvents.Removed();

describe('a todo', () => {
  it('is added with a trimmed title', () => {
    spec(Todo).when('add', { title: '  Buy milk ' }).then(added);
  });

  it('needs a title', () => {
    spec(Todo).when('add', { title: '   ' }).thenRejected('invalid-input');
  });

  it('is added once', () => {
    spec(Todo).given(added).when('add', { title: 'Buy bread' }).thenNothing();
  });

  it('is completed, and reopened', () => {
    spec(Todo).given(added).when('complete').then(completed);
    spec(Todo).given(added, completed).when('reopen').then(reopened);
    spec(Todo).given(added, completed, reopened).when('complete').then(completed);
  });

  it('that is completed cannot be completed again, nor an active one be reopened', () => {
    spec(Todo).given(added, completed).when('complete').thenNothing();
    spec(Todo).given(added).when('reopen').thenNothing();
  });

  it('is renamed to a trimmed title', () => {
    const renamed = TodoEvents.Renamed({ title: 'Buy bread' });
    spec(Todo).given(added).when('rename', { title: ' Buy bread ' }).then(renamed);
    spec(Todo)
      .given(added, renamed)
      .when('rename', { title: 'Buy milk' })
      .then(TodoEvents.Renamed({ title: 'Buy milk' }));
  });

  it('keeps its title where the new one is the same', () => {
    spec(Todo).given(added).when('rename', { title: 'Buy milk ' }).thenNothing();
  });

  it('is removed where its title is emptied', () => {
    spec(Todo).given(added).when('rename', { title: '  ' }).then(removed);
  });

  it('is removed', () => {
    spec(Todo).given(added, completed).when('remove').then(removed);
  });

  it('that is gone is left alone by every command but add', () => {
    for (const before of [[added], [added, completed]]) {
      const gone = spec(Todo).given(...before, removed);
      gone.when('rename', { title: 'Buy bread' }).thenNothing();
      gone.when('complete').thenNothing();
      gone.when('reopen').thenNothing();
      gone.when('remove').thenNothing();
      gone.when('add', { title: 'Buy milk' }).then(added);
    }
  });
});

describe('the list', () => {
  const two = projectionSpec(Todos)
    .given('todo-a', added)
    .given('todo-b', TodoEvents.Added({ title: 'Walk the dog' }));

  it('shows each todo with its title and whether it is completed', () => {
    two.given('todo-a', completed).thenRows({
      a: { id: 'a', title: 'Buy milk', completed: true },
      b: { id: 'b', title: 'Walk the dog', completed: false },
    });
  });

  it('shows a new title, and a todo that is active again', () => {
    two
      .given('todo-a', completed, TodoEvents.Renamed({ title: 'Buy bread' }), reopened)
      .thenRow('a', { id: 'a', title: 'Buy bread', completed: false });
  });

  it('does not show what was removed', () => {
    two.given('todo-a', removed).thenNoRow('a');
  });

  it('keeps the order of addition, whatever happens to a todo', async () => {
    const client = createClient(tasks, () => createInProcessWorker({ app: tasks, log: createMemoryEventLog() }));
    const { ready, rows } = client.mirror(Todos);
    await ready;
    for (const id of ['c', 'a', 'b']) await client.execute(Todo, id, 'add', { title: id });
    await client.execute([command(Todo, 'c', 'complete'), command(Todo, 'a', 'rename', { title: 'A' })]);
    await client.rebuild();
    expect([...rows.values()].map(({ title }) => title)).toEqual(['c', 'A', 'b']);
    await client.close();
  });
});
