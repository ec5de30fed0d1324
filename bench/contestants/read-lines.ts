/** The lines of a file, as many at a time as one chunk of it holds. */
export async function* readLines(file: Blob): AsyncGenerator<string[]> {
  // As a reader and not with `for await`: not every browser's stream can be iterated.
  const reader = file.stream().pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    const lines = (rest + value).split('\n');
    rest = lines.pop() ?? '';
    if (lines.length > 0) yield lines;
  }
  if (rest !== '') yield [rest];
}

/** The events of a file, `length` at a time. */
export async function* readBatches<Event>(file: Blob, length: number): AsyncGenerator<Event[]> {
  let batch: Event[] = [];
  for await (const lines of readLines(file)) {
    for (const line of lines) {
      // A file that this suite has written itself.
      batch.push(JSON.parse(line) as Event);
      if (batch.length < length) continue;
      yield batch;
      batch = [];
    }
  }
  if (batch.length > 0) yield batch;
}
