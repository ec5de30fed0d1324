import { parseStatement, type Statement } from './statement.ts';

/** What the reader tells the page: how far it is, then what it read, or that it could not. */
export type StatementMessage =
  | { readonly type: 'progress'; readonly done: number; readonly total: number }
  | { readonly type: 'statement'; readonly statement: Statement; readonly hash: string }
  | { readonly type: 'failed'; readonly text: string };

type Send = (message: StatementMessage) => void;

/** More would not fit a page's memory as text; such a book is better imported in parts. */
const maxTextLength = 200_000_000;

/** Reads and checks a file, and sends how that goes and what came of it. */
export async function readStatement(file: File, send: Send): Promise<void> {
  try {
    send(await read(file, send));
  } catch (error) {
    // Also where it could not be sent: nobody hears that from a worker, and the page would wait for ever.
    send({ type: 'failed', text: errorToText(error) });
  }
}

async function read(file: File, send: Send): Promise<StatementMessage> {
  const bytes = new Uint8Array(await file.arrayBuffer());
  const hash = toHex(await crypto.subtle.digest('SHA-256', bytes));
  const isGzip = bytes[0] === 0x1f && bytes[1] === 0x8b;
  const counted = new Blob([bytes]).stream().pipeThrough(countBytes(bytes.length, send));
  const text = await readText(isGzip ? counted.pipeThrough(new DecompressionStream('gzip')) : counted);
  return { type: 'statement', statement: parseStatement(text), hash };
}

async function readText(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<string> {
  let text = '';
  for await (const part of stream.pipeThrough(new TextDecoderStream('utf-8', { fatal: true }))) {
    text += part;
    if (text.length > maxTextLength)
      throw new RangeError('The file holds more than 200 million characters. Import it in parts.');
  }
  return text;
}

function countBytes(total: number, send: Send): TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>> {
  let done = 0;
  return new TransformStream({
    transform: (chunk, controller) => {
      done += chunk.length;
      send({ type: 'progress', done, total });
      controller.enqueue(chunk);
    },
  });
}

function errorToText(error: unknown): string {
  if (error instanceof RangeError) return error.message;
  if (error instanceof DOMException && error.name === 'DataCloneError')
    return 'The file holds more than can be handed to the page. Import it in parts.';
  return `The file could not be read as text or as gzip (${String(error)}). Choose a CSV file, or one compressed with gzip.`;
}

function toHex(buffer: ArrayBuffer): string {
  return Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
