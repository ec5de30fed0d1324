/** A long text in pieces that never change: an edit copies the list of pieces and one piece, not the text. */
export type Rope = readonly string[];

export const emptyRope: Rope = [''];

/** Long enough that the list stays short, short enough that copying one piece costs nothing. */
const maxPiece = 1_024;

/** The text with `deleted` characters at `at` replaced by `inserted`. */
export function editRope(rope: Rope, at: number, deleted: number, inserted: string): Rope {
  let index = 0;
  let offset = at;
  for (;;) {
    const length = rope[index]?.length ?? 0;
    // At a border the piece before it is taken: text typed at its end goes on growing it.
    if (offset <= length || index === rope.length - 1) break;
    offset -= length;
    index += 1;
  }
  let text = rope[index] ?? '';
  let end = index + 1;
  while (text.length < offset + deleted && end < rope.length) {
    text += rope[end] ?? '';
    end += 1;
  }
  const edited = text.slice(0, offset) + inserted + text.slice(offset + deleted);
  if (edited === '' && rope.length > end - index) return rope.toSpliced(index, end - index);
  return rope.toSpliced(index, end - index, ...splitPiece(edited));
}

export function ropeToText(rope: Rope): string {
  return rope.join('');
}

function splitPiece(piece: string): readonly string[] {
  if (piece.length <= maxPiece) return [piece];
  const middle = piece.length >> 1;
  return [...splitPiece(piece.slice(0, middle)), ...splitPiece(piece.slice(middle))];
}
