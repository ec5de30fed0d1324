import { parseStatement, type Statement } from './statement.ts';

/** What the reader tells the page: how far it is, then what it read, or that it could not. */
export type StatementMessage =
  | { readonly type: 'progress'; readonly done: number; readonly total: number }
  | { readonly type: 'statement'; readonly statement: Statement; readonly hash: string }
  | { readonly type: 'failed'; readonly text: string };

/** More would not fit a page's memory as text; such a book is better imported in parts. */
const maxTextLength = 200_000_000;

const send = (message: StatementMessage) => postMessage(message);

addEventListener('message', ({ data }: MessageEvent<File>) => {
  read(data).then(send, (error: unknown) => send({ type: 'failed', text: errorToText(error) }));
});

/** Reads and checks a file away from the page, so that the page stays responsive and can end it at any time. */
async function read(file: File): Promise<StatementMessage> {
  const bytes = new Uint8Array(await file.arrayBuffer());
  const hash = toHex(await crypto.subtle.digest('SHA-256', bytes));
  const isGzip = bytes[0] === 0x1f && bytes[1] === 0x8b;
  const counted = new Blob([bytes]).stream().pipeThrough(countBytes(bytes.length));
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

function countBytes(total: number): TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>> {
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
  return `The file could not be read as text or as gzip (${String(error)}). Choose a CSV file, or one compressed with gzip.`;
}

function toHex(buffer: ArrayBuffer): string {
  return Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
