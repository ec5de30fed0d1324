/** The account that a route shows, as in `/account/S-01`; undefined where it shows none. */
export function routeToAccountId(route: string): string | undefined {
  const encoded = /^\/account\/(.+)$/.exec(route)?.[1];
  if (encoded === undefined) return undefined;
  try {
    return decodeURIComponent(encoded);
  } catch {
    // An address that was typed, or cut short: it is shown as it stands, as an account that is not there.
    return encoded;
  }
}
