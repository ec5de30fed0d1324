const format = new Intl.NumberFormat('en', { minimumFractionDigits: 2, maximumFractionDigits: 2 });

/** Hellers as crowns: −1,234.50. */
export function toCrowns(hellers: number): string {
  return format.format(hellers / 100).replace('-', '−');
}
