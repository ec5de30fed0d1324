import type { Client } from 'varve/client';

/** Calls on the whole log that a client may lack: what is missing is undefined, and its rows say "not available". */
export interface LogTools {
  readonly importFile: ((file: Blob) => Promise<void>) | undefined;
  readonly exportFile: (() => Promise<Blob>) | undefined;
  readonly rebuild: (() => Promise<void>) | undefined;
}

type Imported =
  | { readonly status: 'imported'; readonly events: number }
  | { readonly status: 'failed'; readonly failure: unknown };

type ClientWithLogTools = Client & {
  readonly import?: (file: Blob, options?: { readonly replace?: boolean }) => Promise<Imported>;
  readonly export?: () => ReadableStream<Uint8Array<ArrayBuffer>>;
  readonly rebuild?: () => Promise<void>;
};

export function openLogTools(client: ClientWithLogTools): LogTools {
  return {
    importFile:
      typeof client.import === 'function'
        ? async (file) => {
            const imported = await client.import?.(file, { replace: true });
            if (imported?.status !== 'imported') throw new Error(`Not imported: ${JSON.stringify(imported)}`);
          }
        : undefined,
    exportFile: typeof client.export === 'function' ? async () => new Response(client.export?.()).blob() : undefined,
    rebuild: typeof client.rebuild === 'function' ? async () => client.rebuild?.() : undefined,
  };
}
