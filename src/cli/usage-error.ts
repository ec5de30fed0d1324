/** The command line cannot be understood, or names what is not there: the text says what to write. Exit code 2. */
export class UsageError extends Error {}
