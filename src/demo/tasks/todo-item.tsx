import { type KeyboardEvent, useState } from 'react';
import { command } from 'varve';
import { Checkbox } from './checkbox.tsx';
import { Todo, type TodoRow } from './tasks.ts';
import type { Send } from './use-send.ts';

export function TodoItem({ todo, send }: { readonly todo: TodoRow; readonly send: Send }) {
  const { id, title, completed } = todo;
  const [isEditing, setEditing] = useState(false);
  const toggle = (checked: boolean) => send(command(Todo, id, checked ? 'complete' : 'reopen'));
  const remove = () => send(command(Todo, id, 'remove'));
  const save = async (input: HTMLInputElement) => {
    const { value } = input;
    const isSaved = await send(command(Todo, id, 'rename', { title: value }));
    // What was not saved stays in the editor, as does what was typed since; and an editor that was opened since stays open.
    if (isSaved && input.isConnected && input.value === value) setEditing(false);
  };
  const onKeyDown = ({ key, currentTarget, nativeEvent }: KeyboardEvent<HTMLInputElement>) => {
    if (nativeEvent.isComposing) return;
    if (key === 'Enter') void save(currentTarget);
    if (key === 'Escape') setEditing(false);
  };

  return (
    <li className={[completed && 'completed', isEditing && 'editing'].filter(Boolean).join(' ')}>
      <div className="view">
        <Checkbox id={`toggle-${id}`} className="toggle" checked={completed} onSet={toggle} />
        {/* biome-ignore lint/a11y/useKeyWithClickEvents: it names the checkbox, and a click is half of a double click */}
        <label
          htmlFor={`toggle-${id}`}
          onClick={(event) => event.preventDefault()}
          onDoubleClick={() => setEditing(true)}
        >
          {title}
        </label>
        <button type="button" className="rename" aria-label={`Edit ${title}`} onClick={() => setEditing(true)}>
          Edit
        </button>
        <button type="button" className="destroy" aria-label={`Remove ${title}`} onClick={() => void remove()}>
          ×
        </button>
      </div>
      {isEditing && (
        <input
          className="edit"
          aria-label={`New title of ${title}`}
          // biome-ignore lint/a11y/noAutofocus: who opens the editor wants to type
          autoFocus
          defaultValue={title}
          onBlur={({ currentTarget }) => void save(currentTarget)}
          onKeyDown={onKeyDown}
        />
      )}
    </li>
  );
}
