// Made once: that takes longer than a thousand dates.
const calendar = new Intl.DateTimeFormat('en', {
  timeZone: 'Europe/Prague',
  year: 'numeric',
  month: '2-digit',
  day: '2-digit',
});

/**
 * The day on which something is booked, YYYY-MM-DD: the one in Prague, wherever the device is, since the book is in crowns.
 *
 * Put together from its parts: how a locale writes a date has changed from one browser version to the next.
 */
export function toBookingDate(nowMs: number): string {
  const { year, month, day } = Object.fromEntries(
    calendar.formatToParts(nowMs).map(({ type, value }) => [type, value]),
  );
  return `${year}-${month}-${day}`;
}
