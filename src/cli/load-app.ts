import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { createJiti } from 'jiti';
import type { App } from '../core/app.ts';
import { UsageError } from './usage-error.ts';

/**
 * The app that a module exports. The module may be TypeScript: Node 20 does not read that, so a loader does.
 *
 * Throws `UsageError` where the module is not there or does not export one app; what the module throws is passed on
 * with its name.
 */
export async function loadApp(folder: string, file: string, exportName?: string): Promise<App> {
  const path = resolve(folder, file);
  if (!existsSync(path)) throw new UsageError(`There is no file ${file}. Name the module that calls defineApp.`);
  const exports = await importModule(path, file);
  if (exportName !== undefined) {
    const value = exports[exportName];
    if (isApp(value)) return value;
    throw new UsageError(`${file} has no app that is exported as "${exportName}". ${describeApps(exports)}`);
  }
  const apps = [...new Set(Object.values(exports).filter(isApp))];
  const [app] = apps;
  if (app === undefined) {
    throw new UsageError(`${file} exports no app. Name the module that has: export const … = defineApp({ … }).`);
  }
  if (apps.length > 1) throw new UsageError(`${file} exports ${apps.length} apps. ${describeApps(exports)}`);
  return app;
}

async function importModule(path: string, file: string): Promise<{ readonly [name: string]: unknown }> {
  // Nothing is written beside the app's packages; what the module imports may be JSX, or be named as a tsconfig says.
  const loader = createJiti(path, { fsCache: false, jsx: true, tsconfigPaths: true, interopDefault: false });
  try {
    return Object(await loader.import(path));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(
      `${file} could not be loaded: ${reason}\nIt is run in Node: it may import definitions, and nothing that needs a browser at once.`,
      { cause: error },
    );
  }
}

function isApp(value: unknown): value is App {
  if (typeof value !== 'object' || value === null) return false;
  const { kind, name, events } = value as Partial<App>;
  return kind === 'app' && typeof name === 'string' && events !== undefined;
}

function describeApps(exports: { readonly [name: string]: unknown }): string {
  const names = Object.keys(exports).filter((name) => isApp(exports[name]));
  if (names.length === 0) return 'It exports no app at all.';
  return `Choose one: ${names.map((name) => `--export ${name}`).join(' or ')}.`;
}
