import { readStatement } from './read-statement.ts';

// Away from the page, so that the page stays responsive and can end it at any time.
addEventListener(
  'message',
  ({ data }: MessageEvent<File>) => void readStatement(data, (message) => postMessage(message)),
);
