import { createClient } from 'varve/client';
import { PwaNotice } from '../pwa-notice.tsx';
import { Shell } from '../shell.tsx';
import { showPage } from '../show-page.tsx';
import { tasks } from './tasks.ts';
import { TodoList } from './todo-list.tsx';
import '../styles.css';
import './styles.css';

const client = createClient(tasks, () => new Worker(new URL('./tasks.worker.ts', import.meta.url), { type: 'module' }));

showPage(
  client,
  <Shell demo="Tasks" loading="Opening the list…" notice={<PwaNotice />}>
    <TodoList />
  </Shell>,
);
