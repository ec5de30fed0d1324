/** Commits that are read at a time. */
export const pageCommits = 256;
