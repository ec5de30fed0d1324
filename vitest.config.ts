import { playwright } from '@vitest/browser-playwright';
import { defineConfig } from 'vitest/config';
import { browserArguments, findChromium } from './scripts/chromium.mjs';

// The package is tested by its public names, straight from its sources.
const resolve = { conditions: ['varve-source', 'module', 'browser', 'development|production'] };

export default defineConfig({
  test: {
    projects: [
      {
        resolve,
        ssr: { resolve: { conditions: ['varve-source', 'module', 'node', 'development|production'] } },
        test: {
          name: 'unit',
          environment: 'node',
          include: ['src/**/*.test.{ts,tsx}', 'scripts/**/*.test.mjs', 'bench/**/*.test.ts', 'bench/**/*.test.mjs'],
          exclude: ['src/**/*.browser.test.{ts,tsx}'],
        },
      },
      {
        resolve,
        optimizeDeps: {
          include: [
            'dexie/dist/modern/dexie.mjs',
            'comlink',
            'zustand/vanilla',
            'react',
            'react-dom',
            'react-dom/client',
            'react-dom/server',
            'zod',
            'fast-check',
            '@stablelib/sha256',
          ],
        },
        test: {
          name: 'browser',
          include: ['src/**/*.browser.test.{ts,tsx}'],
          browser: {
            enabled: true,
            headless: true,
            screenshotFailures: false,
            provider: playwright({
              launchOptions: { executablePath: findChromium() ?? '', args: [...browserArguments] },
            }),
            instances: [{ browser: 'chromium' }],
          },
        },
      },
    ],
  },
});
