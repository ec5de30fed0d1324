import type { PreviewServer } from 'vite';

export function serveDemo(options: {
  readonly port: number;
  readonly endpoint?: { readonly url: string; readonly token: string };
}): Promise<PreviewServer>;
