/** Records the time between frames, in milliseconds, until it is told to stop. */
export function recordFrames(): { stop(): readonly number[] } {
  const gaps: number[] = [];
  let last = performance.now();
  let handle = requestAnimationFrame(function frame() {
    const now = performance.now();
    gaps.push(now - last);
    last = now;
    handle = requestAnimationFrame(frame);
  });
  return {
    stop: () => {
      cancelAnimationFrame(handle);
      // The first gap began before there was a frame.
      return gaps.slice(1);
    },
  };
}
