import { fileURLToPath, pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';

const worker = fileURLToPath(new URL('./worker.mjs', import.meta.url));

/** Runs `count` seeds from `seed` on in so many threads; `onResult` gets each, and ends it all where it returns true. */
export async function runSeeds(bundle, { seed, count, threads }, onResult) {
  const workers = Array.from({ length: Math.min(threads, count) }, (_, first) => {
    const workerData = { bundle: pathToFileURL(bundle).href, first, step: threads, runs: { seed, count } };
    // Most of what a run makes is gone after it: room for it costs less than to look for what is left.
    return new Worker(worker, { workerData, resourceLimits: { maxYoungGenerationSizeMb: 96 } });
  });
  const endAll = () => Promise.all(workers.map((one) => one.terminate()));
  try {
    await Promise.all(
      workers.map(
        (one) =>
          new Promise((resolve, reject) => {
            one.on('message', (result) => {
              if (onResult(result) === true) endAll().then(resolve, reject);
            });
            one.on('error', reject);
            one.on('exit', resolve);
          }),
      ),
    );
  } finally {
    await endAll();
  }
}
