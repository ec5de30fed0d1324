import { SyncRefusal } from './transport.ts';

/** One server-sent event. */
export interface ServerEvent {
  readonly event: string;
  readonly data: string;
}

/** A poke has a hundred characters: who sends a line like this sends something else. */
const maxEventChars = 16_384;

/**
 * Reads server-sent events (WHATWG HTML, "Interpreting an event stream") from texts that are cut anywhere. An
 * `EventSource` would do that, and sends no token.
 *
 * Ids and retry times are overlooked: nothing is resumed, for a hint that was missed does no harm.
 */
export function createEventReader(onEvent: (event: ServerEvent) => void): (chunk: string) => void {
  let rest = '';
  let event = '';
  let data: string[] = [];
  let size = 0;
  /** A line feed after it belongs to it. */
  let endsInReturn = false;

  function readLine(line: string): void {
    if (line === '') {
      if (data.length > 0) onEvent({ event: event === '' ? 'message' : event, data: data.join('\n') });
      [event, data, size] = ['', [], 0];
      return;
    }
    const colon = line.indexOf(':');
    const name = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (name === 'event') event = value;
    if (name === 'data') {
      data.push(value);
      // With what joins it to the next: of empty lines that is all there is.
      size += value.length + 1;
    }
  }

  return (chunk) => {
    if (chunk === '') return;
    const lines = (rest + (endsInReturn ? chunk.replace(/^\n/, '') : chunk)).split(/\r\n|\n|\r/);
    endsInReturn = chunk.endsWith('\r');
    rest = lines.pop() ?? '';
    for (const line of lines) readLine(line);
    if (rest.length + size > maxEventChars) throw new SyncRefusal('BAD_REPLY', 'An event of the server has no end.');
  };
}
