declare const process: { readonly env: { readonly NODE_ENV?: string } };

/** Whether this is a build for development: bundlers put their answer in the place of `process.env.NODE_ENV`. */
export function isDevelopment(): boolean {
  try {
    return process.env.NODE_ENV !== 'production';
  } catch {
    // Neither a bundler nor Node: nobody said that it is.
    return false;
  }
}
