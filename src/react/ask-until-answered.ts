const retryMs = 1_000;

/** Asks, and again a second later as long as the log cannot be read. @returns a function that ends it. */
export function askUntilAnswered(ask: () => Promise<unknown>): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isOver = false;
  const attempt = () => {
    ask().catch(() => {
      if (!isOver) timer = setTimeout(attempt, retryMs);
    });
  };
  attempt();
  return () => {
    isOver = true;
    clearTimeout(timer);
  };
}
