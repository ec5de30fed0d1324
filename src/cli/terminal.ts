/** Where a command writes, and where it was called. */
export interface Terminal {
  /** The folder that paths are relative to. */
  readonly folder: string;
  print(text: string): void;
  printError(text: string): void;
  /** One line that the next one takes the place of; empty text clears it. Nothing where nobody watches. */
  progress(text: string): void;
  /** The text in a style, where the terminal shows styles. */
  style(style: Style, text: string): string;
}

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan';

const codes: Record<Style, readonly [start: number, end: number]> = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  cyan: [36, 39],
};

/** The terminal of this process. Styled where somebody looks at it and has not said no (`NO_COLOR`). */
export function createTerminal(process: NodeJS.Process): Terminal {
  const { stdout, stderr, env } = process;
  // Nobody reads any more, as where the terminal was closed: no reason to end, and none to leave what is open undone.
  for (const stream of [stdout, stderr]) stream.on('error', () => undefined);
  const isStyled = stdout.isTTY === true && (env.NO_COLOR ?? '') === '';
  return {
    folder: process.cwd(),
    print: (text) => void stdout.write(`${text}\n`),
    printError: (text) => void stderr.write(`${text}\n`),
    progress: (text) => {
      if (stderr.isTTY === true) stderr.write(`\r\u001b[2K${text}`);
    },
    style: (style, text) => (isStyled ? `\u001b[${codes[style][0]}m${text}\u001b[${codes[style][1]}m` : text),
  };
}
