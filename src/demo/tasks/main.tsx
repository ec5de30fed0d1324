import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { createClient } from 'varve/client';
import { VarveProvider } from 'varve/react';
import { config } from 'zod';
import { Shell } from '../shell.tsx';
import { tasks } from './tasks.ts';
import { TodoList } from './todo-list.tsx';
import '../styles.css';
import './styles.css';

// The page's content security policy forbids `new Function`, with which zod would compile its checks.
config({ jitless: true });

const client = createClient(tasks, () => new Worker(new URL('./tasks.worker.ts', import.meta.url), { type: 'module' }));

const root = document.getElementById('root');
if (root === null) throw new Error('The page has no element "root".');
createRoot(root).render(
  <StrictMode>
    <VarveProvider client={client}>
      <Shell demo="Tasks" loading="Opening the list…">
        <TodoList />
      </Shell>
    </VarveProvider>
  </StrictMode>,
);
