// Serves the built demo, and lets it reach a server of sync at its own origin: its policy allows no other.
import { preview } from 'vite';

/** `endpoint` is `{ url, token }`; without one the page finds the file that says that there is none. */
export function serveDemo({ port, endpoint }) {
  if (endpoint === undefined) return preview({ preview: { port } });
  const { url, token } = endpoint;
  return preview({
    // A server that is down is no news here: the page says so, and tries again.
    logLevel: 'silent',
    // Without CORS: the token is for this page, and for none of another origin.
    preview: { port, cors: false, proxy: { '/sync/': { target: url } } },
    plugins: [
      {
        name: 'sync-token',
        configurePreviewServer: ({ middlewares }) => {
          middlewares.use('/sync.json', (_request, response) => {
            response.setHeader('content-type', 'application/json');
            response.setHeader('cache-control', 'no-store');
            response.end(JSON.stringify({ token }));
          });
        },
      },
    ],
  });
}
