import type { Random } from "./random.ts";

/** A key of the personal state with a new value, or null to remove it. */
export interface KeyValue {
  key: string;
  value: object | null;
}

/** The time until which a chat is muted: for ever, or it is not muted any more. Neither depends on the time of the run. */
const muteTimes = ["9999-12-31T23:59:59.999Z", "2020-01-01T00:00:00.000Z"];

/** A random change of the personal state, of a chat if there is one. Two changes hardly ever set the same value. */
export function randomState(random: Random, chatId: number | undefined): KeyValue {
  const mark = random.between(1, 1_000_000_000);
  const key = random.pick(
    chatId === undefined ? ["preferences"] : [`chat:${chatId}`, `draft:${chatId}`, "preferences"],
  );
  if (key === undefined || random.chance(0.2)) return { key: key ?? "preferences", value: null };
  if (key.startsWith("chat:")) return { key, value: randomSettings(random, mark) };
  if (key.startsWith("draft:")) return { key, value: { text: `draft ${mark}`, updatedAt: new Date().toISOString() } };
  return { key, value: { mark } };
}

/** Some of the settings of a chat. */
const randomSettings = (random: Random, mark: number): object => ({
  pinned: mark,
  ...(random.chance(0.3) && { level: random.pick(["all", "mentions", "none"]) }),
  ...(random.chance(0.3) && { mutedUntil: random.pick(muteTimes) }),
  ...(random.chance(0.3) && { archivedSeq: random.between(0, 1000) }),
  ...(random.chance(0.3) && { markedUnread: true }),
});
