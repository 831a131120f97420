/** What an edit or a deletion makes of a message. */
interface RequestedRevision {
  messageId: number;
  content: string;
  isDeletion: boolean;
}

const keyOf = ({ messageId, content, isDeletion }: RequestedRevision): string =>
  isDeletion ? `${messageId}` : `${messageId} ${content}`;

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

  /** Whether another device has requested an equal one. */
  hasFromOther(device: string, revision: RequestedRevision): boolean {
    return [...(this.devices.get(keyOf(revision)) ?? [])].some((other) => other !== device);
  }
}
