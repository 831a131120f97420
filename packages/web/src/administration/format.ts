const numberFormat = new Intl.NumberFormat();
const timeFormat = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const dayFormat = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", timeZone: "UTC" });
const megabyteFormat = new Intl.NumberFormat(undefined, {
  style: "unit",
  unit: "megabyte",
  maximumFractionDigits: 1,
});

export const formatNumber = (value: number): string => numberFormat.format(value);
export const formatTime = (iso: string): string => timeFormat.format(new Date(iso));
export const formatBytes = (bytes: number): string => megabyteFormat.format(bytes / 1_000_000);
/** A day, as the server counts them: in UTC. */
export const formatDay = (date: Date): string => dayFormat.format(date);

/** A number with its noun, in one line. */
export const count = (value: number, one: string, many: string): string =>
  `${formatNumber(value)}\u00a0${value === 1 ? one : many}`;
