import { orAborted } from './abort.ts';
import { isOffline, offline } from './offline.ts';
import { SyncRefusal } from './transport.ts';

/** A text, or what gives it in the name of who is signed in (`principal`); undefined where it has none for them. */
export type Token = string | ((principal: string) => string | undefined | Promise<string | undefined>);

/** The token of who is signed in, asked for once and kept until a server no longer takes it, or somebody else is there. */
export interface Tokens {
  /**
   * In the name of the principal. Throws `AUTH` where there is none or it cannot be sent, and `OTHER_PRINCIPAL` where
   * somebody else has signed in meanwhile: what one person saved is never pushed with the token of another.
   */
  get(principal: string, signal: AbortSignal): Promise<string>;
  /** A server did not take it: the next to ask gets another, all of them the same. */
  refuse(token: string): void;
}

interface Kept {
  readonly principal: string;
  readonly asked: Promise<string | undefined>;
  value?: string;
}

const visibleAscii = /^[\x21-\x7e]+$/;

export function createTokens(token: Token, principal: () => string): Tokens {
  let kept: Kept | undefined;

  function ask(who: string): Kept {
    kept = { principal: who, asked: askApp(who) };
    return kept;
  }

  async function askApp(who: string): Promise<string | undefined> {
    try {
      // Files and servers end a text with a line break.
      return (typeof token === 'string' ? token : await token(who))?.trim();
    } catch (error) {
      if (!(error instanceof SyncRefusal) && isOffline(error)) throw offline('Who gives the token', error);
      throw error;
    }
  }

  function requireSame(wanted: string): void {
    if (principal() === wanted) return;
    throw new SyncRefusal('OTHER_PRINCIPAL', 'Somebody else has signed in: this is not sent in their name.');
  }

  return {
    get: async (wanted, signal) => {
      requireSame(wanted);
      const own = kept?.principal === wanted ? kept : ask(wanted);
      try {
        const value = await orAborted(own.asked, signal);
        requireSame(wanted);
        if (value === undefined || value === '') {
          throw new SyncRefusal('AUTH', 'Nobody is signed in: there is no token.');
        }
        // The error of a browser for such a header has the token in its text, which is shown to people.
        if (!visibleAscii.test(value)) {
          throw new SyncRefusal('AUTH', 'The token holds characters that no header can carry.');
        }
        own.value = value;
        return value;
      } catch (error) {
        // The app is asked anew by the next request, also where it never answered.
        if (kept === own) kept = undefined;
        throw error;
      }
    },
    refuse: (value) => {
      // Others that were under way with it come here too, when a new one is asked for already.
      if (kept?.value === value) kept = undefined;
    },
  };
}
