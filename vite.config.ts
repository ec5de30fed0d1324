import react from '@vitejs/plugin-react';
import { defaultClientConditions, defineConfig, type Plugin } from 'vite';
import { VitePWA } from 'vite-plugin-pwa';

/** In the built page only: the development server injects inline scripts and styles. */
function contentSecurityPolicy(): Plugin {
  const policy = [
    "default-src 'none'",
    "script-src 'self'",
    "worker-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "manifest-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  return {
    name: 'content-security-policy',
    apply: 'build',
    transformIndexHtml: () => [
      { tag: 'meta', attrs: { 'http-equiv': 'Content-Security-Policy', content: policy }, injectTo: 'head-prepend' },
    ],
  };
}

// Builds and serves the demo, which uses the package by its public names, straight from its sources.
export default defineConfig({
  resolve: { conditions: ['varve-source', ...defaultClientConditions] },
  worker: { format: 'es' },
  build: {
    outDir: 'dist-demo',
    target: 'es2022',
    chunkSizeWarningLimit: 800,
    rollupOptions: { input: { ledger: 'index.html', tasks: 'tasks/index.html' } },
  },
  preview: { host: '127.0.0.1' },
  plugins: [
    react(),
    contentSecurityPolicy(),
    VitePWA({
      strategies: 'injectManifest',
      srcDir: 'src/demo',
      filename: 'service-worker.ts',
      registerType: 'prompt',
      injectRegister: false,
      // A classic script, which browsers take that know no modules in service workers; all that is loaded later is in it.
      injectManifest: { rollupFormat: 'iife', globPatterns: ['**/*.{js,css,html,svg,png,webmanifest}'] },
      manifest: {
        name: 'Ledger – a Varve demo',
        short_name: 'Ledger',
        description: 'An offline bank book: every event is kept on your device.',
        id: '/',
        start_url: '/',
        display: 'standalone',
        background_color: '#f6f5f1',
        theme_color: '#17494d',
        icons: [
          { src: '/icon-192.png', sizes: '192x192', type: 'image/png' },
          { src: '/icon-512.png', sizes: '512x512', type: 'image/png' },
          { src: '/icon-maskable-512.png', sizes: '512x512', type: 'image/png', purpose: 'maskable' },
        ],
      },
    }),
  ],
});
