import { type FormEvent, useState } from 'react';
import { command } from 'varve';
import { Todo } from './tasks.ts';
import type { Send } from './use-send.ts';

/** What was not saved stays in the input: an empty title, or one that the device has no room for. */
export function NewTodo({ send }: { readonly send: Send }) {
  const [title, setTitle] = useState('');

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setTitle('');
    const isSaved = await send(command(Todo, crypto.randomUUID(), 'add', { title }));
    if (!isSaved) setTitle((typedSince) => typedSince || title);
  };

  return (
    <form onSubmit={(event) => void submit(event)}>
      <input
        className="new-todo"
        aria-label="New todo"
        placeholder="What needs to be done?"
        autoComplete="off"
        // biome-ignore lint/a11y/noAutofocus: the page is opened to write something down
        autoFocus
        value={title}
        onChange={({ target }) => setTitle(target.value)}
      />
    </form>
  );
}
