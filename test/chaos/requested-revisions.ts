/** What an edit or a deletion makes of a message. */
interface RequestedRevision {
  messageId: number;
  content: string;
  isDeletion: boolean;
}

const keyOf = ({ messageId, content, isDeletion }: RequestedRevision): string =>
  isDeletion ? `${messageId}` : `${messageId} ${content}`;

/** A reaction or a pin that a user has requested, set or removed. */
interface RequestedMark {
  messageId: number;
  userId: number;
  kind: "reaction" | "pin";
}

const keyOfMark = ({ messageId, userId, kind }: RequestedMark): string => `${kind} ${messageId} of ${userId}`;

/** The edits and deletions that devices have requested, whatever their outcomes. */
export class RequestedRevisions {
  private readonly devices = new Map<string, Set<string>>();

  clear(): void {
    this.devices.clear();
  }

  add(device: string, revision: RequestedRevision): void {
    const key = keyOf(revision);
    this.devices.set(key, (this.devices.get(key) ?? new Set()).add(device));
  }

  addMark(device: string, mark: RequestedMark): void {
    const key = keyOfMark(mark);
    this.devices.set(key, (this.devices.get(key) ?? new Set()).add(device));
  }

  /** Whether another device has requested an equal one. */
  hasFromOther(device: string, revision: RequestedRevision): boolean {
    return this.hasOther(device, keyOf(revision));
  }

  /** Whether another device of the user has requested a reaction or a pin for this message. */
  hasMarkFromOther(device: string, mark: RequestedMark): boolean {
    return this.hasOther(device, keyOfMark(mark));
  }

  private hasOther(device: string, key: string): boolean {
    return [...(this.devices.get(key) ?? [])].some((other) => other !== device);
  }
}
