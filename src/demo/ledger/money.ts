const format = new Intl.NumberFormat('en', { minimumFractionDigits: 2, maximumFractionDigits: 2 });

/** Hellers as crowns: −1,234.50. */
export function toCrowns(hellers: number): string {
  return format.format(hellers / 100).replace('-', '−');
}

/** Crowns as text to whole hellers, without a detour over fractions; undefined where it is not a positive amount. */
export function parseCrowns(text: string): number | undefined {
  const match = /^(\d{1,9})(?:[.,](\d{1,2}))?$/.exec(text);
  if (match === null) return undefined;
  const hellers = Number(match[1]) * 100 + Number((match[2] ?? '').padEnd(2, '0'));
  return hellers > 0 ? hellers : undefined;
}
