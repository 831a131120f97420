const timeFormat = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const weekdayFormat = new Intl.DateTimeFormat(undefined, { weekday: "long" });
const dayFormat = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "long" });
const yearFormat = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "long", year: "numeric" });
const shortFormat = new Intl.DateTimeFormat(undefined, { day: "2-digit", month: "2-digit", year: "2-digit" });
const fullFormat = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "short" });

const startOfDay = (date: Date): number => new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();

/** The number of days before today. */
const daysAgo = (date: Date): number => Math.round((startOfDay(new Date()) - startOfDay(date)) / 86_400_000);

export const timeOf = (iso: string): string => timeFormat.format(new Date(iso));
export const fullTimeOf = (iso: string): string => fullFormat.format(new Date(iso));

/** A key that two times of one day have in common. */
export const dayKey = (iso: string): number => startOfDay(new Date(iso));

/** The day of a message, above the first one of it. */
export function dayOf(iso: string): string {
  const date = new Date(iso);
  const days = daysAgo(date);
  if (days <= 0) return "Today";
  if (days === 1) return "Yesterday";
  if (days < 7) return weekdayFormat.format(date);
  return date.getFullYear() === new Date().getFullYear() ? dayFormat.format(date) : yearFormat.format(date);
}

/** The time of the last message, in the list of chats. */
export function shortTimeOf(iso: string): string {
  const date = new Date(iso);
  const days = daysAgo(date);
  if (days <= 0) return timeFormat.format(date);
  if (days === 1) return "Yesterday";
  return days < 7 ? weekdayFormat.format(date) : shortFormat.format(date);
}

/** When somebody was last online. */
export function lastSeen(iso: string): string {
  const minutes = Math.floor((Date.now() - new Date(iso).getTime()) / 60_000);
  if (minutes < 1) return "last seen just now";
  if (minutes < 60) return `last seen ${minutes} ${minutes === 1 ? "minute" : "minutes"} ago`;
  const days = daysAgo(new Date(iso));
  const day = days <= 0 ? "today" : days === 1 ? "yesterday" : dayOf(iso);
  return `last seen ${day} at ${timeOf(iso)}`;
}
