export const browserArguments: readonly string[];
export function findChromium(names?: readonly string[]): string | undefined;
export function findFullChromium(): string | undefined;
export function requireChromium(): void;
