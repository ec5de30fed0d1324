/** The longest time that a timer takes: a longer one would be over at once. */
export const maxTimerMs = 2_147_483_647;

/** What comes within `ms`; after that it throws `late`, and what comes then is not heard of. */
export async function inTime<Value>(value: Value | Promise<Value>, ms: number, late: () => Error): Promise<Value> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const end = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(late()), Math.min(ms, maxTimerMs));
  });
  try {
    return await Promise.race([value, end]);
  } finally {
    clearTimeout(timer);
  }
}
