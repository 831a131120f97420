/** The kinds of events in the history of a group. Adding one makes the compiler name every place that must handle it. */
export const eventKinds = [
  "groupCreated",
  "groupRenamed",
  "avatarChanged",
  "groupDeleted",
  "memberAdded",
  "memberRemoved",
  "memberLeft",
  "roleChanged",
  "ownershipTransferred",
] as const;

export type EventKind = (typeof eventKinds)[number];

/** An event in a group as it is stored: ids and values, never the name of a person. */
export type StoredEvent = Readonly<{
  kind: EventKind;
  byUserId: number;
  /** The member concerned, if it is not `byUserId`. */
  userId?: number;
  groupName?: string;
  role?: "admin" | "member";
  /** The new avatar of the group; absent if it has none any more. */
  avatarId?: string;
  /** The members of a deleted group: afterwards nothing else records them. For delivery, never sent to clients. */
  memberIds?: readonly number[];
}>;
