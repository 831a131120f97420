const numberFormat = new Intl.NumberFormat();
const timeFormat = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const dayFormat = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", timeZone: "UTC" });

export const formatNumber = (value: number): string => numberFormat.format(value);
export const formatTime = (iso: string): string => timeFormat.format(new Date(iso));
/** A day, as the server counts them: in UTC. */
export const formatDay = (date: Date): string => dayFormat.format(date);

/** A number with its noun, in one line. */
export const count = (value: number, one: string, many: string): string =>
  `${formatNumber(value)}\u00a0${value === 1 ? one : many}`;
