import { expect, it } from 'vitest';
import { isOrigin } from './cors.ts';
import { createTestServer, helloOf } from './fixtures/test-server.ts';
import { createMemorySyncStore } from './memory-sync-store.ts';

it('tells origins, as a browser or an app’s shell sends them, from what cannot be listed', () => {
  const listable = [
    'http://localhost:5173',
    'https://app.example',
    'http://[::1]:4180',
    'capacitor://localhost',
    'tauri://localhost',
    'chrome-extension://mhjfbmdgcfjbbpaeojofohoefgiehjai',
    'moz-extension://0d1ea2ac-2c0f-4b3c-9b1e-000000000000',
  ];
  expect(listable.filter((origin) => !isOrigin(origin))).toEqual([]);
  const others = [
    'localhost',
    'null',
    '*',
    'http://app.example/',
    'http://app.example:80',
    'HTTPS://app.example',
    'https://user@app.example',
    'https://app.example/path',
    'capacitor://localhost/',
    'file://',
    'https://app.example\nx: y',
    `https://${'a'.repeat(300)}.example`,
  ];
  expect(others.filter(isOrigin)).toEqual([]);
});

it('names only what can be listed', async () => {
  const server = createTestServer(createMemorySyncStore());
  const textFor = async (origin: string) => {
    const { body } = await server.post('hello', helloOf(), { origin });
    return (body as { readonly text: string }).text;
  };
  expect(await textFor('tauri://localhost')).toContain('--origin tauri://localhost');
  expect(await textFor('file://')).toContain('Pages without an origin');
});
