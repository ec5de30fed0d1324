/** Drivers are optional: an app that does not serve installs none. Says what to install where one is missing. */
export async function loadDriver<Module>(name: keyof typeof versions, load: () => Promise<Module>): Promise<Module> {
  try {
    return await load();
  } catch (error) {
    if ((error as { readonly code?: unknown }).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new Error(
      `The server needs the package ${name}, which is not installed: npm install ${name}@${versions[name]}`,
      {
        cause: error,
      },
    );
  }
}

/** As in the peer dependencies. */
const versions = { '@electric-sql/pglite': '0.5.16', pg: '8.23.1' } as const;
