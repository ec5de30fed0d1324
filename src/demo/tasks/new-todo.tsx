import { type FormEvent, useState } from 'react';
import { command } from 'varve';
import { Todo } from './tasks.ts';
import type { Send } from './use-send.ts';

interface Unsaved {
  readonly id: string;
  readonly title: string;
}

interface Typed {
  readonly title: string;
  readonly unsaved: readonly Unsaved[];
}

/** What the device has no room for is back in the input, or stands under it where the next title was begun meanwhile. */
export function NewTodo({ send }: { readonly send: Send }) {
  const [{ title, unsaved }, setTyped] = useState<Typed>({ title: '', unsaved: [] });

  const add = async (todo: Unsaved) => {
    if (await send(command(Todo, todo.id, 'add', { title: todo.title }))) return;
    setTyped((typed) =>
      typed.title === '' ? { ...typed, title: todo.title } : { ...typed, unsaved: [...typed.unsaved, todo] },
    );
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (title.trim() === '') return;
    setTyped((typed) => ({ ...typed, title: '' }));
    void add({ id: crypto.randomUUID(), title });
  };
  const tryAgain = (todo: Unsaved) => {
    setTyped((typed) => ({ ...typed, unsaved: typed.unsaved.filter(({ id }) => id !== todo.id) }));
    void add(todo);
  };

  return (
    <>
      <form onSubmit={submit}>
        <input
          className="new-todo"
          aria-label="New todo"
          placeholder="What needs to be done?"
          autoComplete="off"
          // biome-ignore lint/a11y/noAutofocus: the page is opened to write something down
          autoFocus
          value={title}
          onChange={({ target }) => setTyped((typed) => ({ ...typed, title: target.value }))}
        />
      </form>
      {unsaved.map((todo) => (
        <p key={todo.id} className="unsaved">
          Not saved: <span>{todo.title}</span>
          <button type="button" aria-label={`Try again to add ${todo.title}`} onClick={() => tryAgain(todo)}>
            Try again
          </button>
        </p>
      ))}
    </>
  );
}
