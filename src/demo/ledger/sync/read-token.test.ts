import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { readToken } from './read-token.ts';

/** What becomes of a token where the page's server answers so. */
function outcomeOf(answer: () => Promise<Response>): Promise<unknown> {
  vi.stubGlobal('fetch', answer);
  onTestFinished(() => {
    vi.unstubAllGlobals();
  });
  return readToken().catch((error: unknown) => error);
}

describe('the token of the demo', () => {
  it('is the one that the page’s server hands out', async () => {
    expect(await outcomeOf(async () => Response.json({ token: 'secret' }))).toBe('secret');
  });

  it('is not there where the copy has no server: no such file, another one in its place, or one that says so', async () => {
    const answers = [new Response('', { status: 404 }), new Response('<!doctype html>'), Response.json({})];
    for (const answer of answers) expect(await outcomeOf(async () => answer)).toMatchObject({ code: 'NO_SERVER' });
  });

  it('is asked for again where the server is ill, or cannot be reached', async () => {
    for (const status of [500, 502, 503]) {
      const answer = new Response('<h1>Bad gateway</h1>', { status });
      expect(await outcomeOf(async () => answer)).toMatchObject({ code: 'UNAVAILABLE' });
    }
    const offline = () => Promise.reject(new TypeError('NetworkError when attempting to fetch resource.'));
    expect(await outcomeOf(offline)).toMatchObject({
      code: 'OFFLINE',
      message: "The page's server cannot be reached: NetworkError when attempting to fetch resource.",
    });
  });
});
