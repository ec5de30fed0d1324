import { command } from 'varve';
import { useProjection } from 'varve/react';
import { useHashRoute } from '../use-hash-route.ts';
import { Checkbox } from './checkbox.tsx';
import { filters, findFilter } from './filters.ts';
import { NewTodo } from './new-todo.tsx';
import { Todo, Todos } from './tasks.ts';
import { TodoItem } from './todo-item.tsx';
import { useSend } from './use-send.ts';

export function TodoList() {
  const todos = [...useProjection(Todos).values()];
  const completed = todos.filter((todo) => todo.completed);
  const activeCount = todos.length - completed.length;
  const { send, problem } = useSend();
  const { name: selected, shows } = findFilter(useHashRoute());

  const toggleAll = (checked: boolean) =>
    send(...todos.map(({ id }) => command(Todo, id, checked ? 'complete' : 'reopen')));
  const clearCompleted = () => send(...completed.map(({ id }) => command(Todo, id, 'remove')));

  return (
    <main className="tasks">
      <section className="todoapp">
        <header className="header">
          <h1>todos</h1>
          <NewTodo send={send} />
          {problem !== '' && <p role="alert">{problem}</p>}
        </header>
        {todos.length > 0 && (
          <section className="main">
            <Checkbox id="toggle-all" className="toggle-all" checked={activeCount === 0} onSet={toggleAll} />
            <label htmlFor="toggle-all">Mark all as complete</label>
            <ul className="todo-list">
              {todos.filter(shows).map((todo) => (
                <TodoItem key={todo.id} todo={todo} send={send} />
              ))}
            </ul>
          </section>
        )}
        {todos.length > 0 && (
          <footer className="footer">
            <span className="todo-count">
              <strong>{activeCount}</strong> {activeCount === 1 ? 'item' : 'items'} left
            </span>
            <ul className="filters">
              {filters.map(({ route, name }) => (
                <li key={route}>
                  <a
                    href={`#${route}`}
                    className={name === selected ? 'selected' : ''}
                    aria-current={name === selected}
                  >
                    {name}
                  </a>
                </li>
              ))}
            </ul>
            {completed.length > 0 && (
              <button type="button" className="clear-completed" onClick={() => void clearCompleted()}>
                Clear completed
              </button>
            )}
          </footer>
        )}
      </section>
      <p className="info">Double-click a todo to edit it. The list follows in every tab, online or not.</p>
    </main>
  );
}
