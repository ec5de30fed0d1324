/** How long a worker may take to collect its garbage. */
const patienceMs = 10_000;

/** Megabytes that a page and its worker hold after a collection: JavaScript heap and array buffers. No worker, no number. */
export async function readHeap(page) {
  const session = await page.context().newCDPSession(page);
  try {
    const workerBytes = await readWorkerBytes(session);
    const pageBytes = await collectAndRead((method) => session.send(method));
    return { page: pageBytes / 1_000_000, worker: workerBytes === undefined ? undefined : workerBytes / 1_000_000 };
  } finally {
    await session.detach();
  }
}

async function collectAndRead(send) {
  await send('HeapProfiler.collectGarbage');
  const { usedSize, backingStorageSize = 0 } = await send('Runtime.getHeapUsage');
  return usedSize + backingStorageSize;
}

/** Playwright knows a page's workers but not their heaps: asked through the page's own debugging session. */
async function readWorkerBytes(session) {
  const open = new Map();
  let lastId = 0;
  session.on('Target.receivedMessageFromTarget', ({ message }) => {
    const { id, result, error } = JSON.parse(message);
    open.get(id)?.(error === undefined ? { result } : { error });
  });
  const attached = new Promise((resolve) => {
    session.on('Target.attachedToTarget', ({ sessionId, targetInfo }) => {
      if (targetInfo.type === 'worker') resolve(sessionId);
    });
  });
  // Workers that already run are reported before this is answered.
  await session.send('Target.setAutoAttach', { autoAttach: true, waitForDebuggerOnStart: false, flatten: false });
  const sessionId = await Promise.race([attached, Promise.resolve()]);
  if (sessionId === undefined) return undefined;
  const ask = async (method) => {
    lastId += 1;
    const id = lastId;
    const answer = new Promise((resolve) => open.set(id, resolve));
    await session.send('Target.sendMessageToTarget', { sessionId, message: JSON.stringify({ id, method }) });
    const late = new Promise((resolve) => setTimeout(resolve, patienceMs, { error: { message: 'no answer' } }));
    const { result, error } = await Promise.race([answer, late]);
    if (error !== undefined) throw new Error(`${method} in the worker: ${error.message}`);
    return result;
  };
  return collectAndRead(ask);
}
