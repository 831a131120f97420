import { History } from "./history.ts";
import type { MessageItem } from "./protocol.ts";
import { type ChatState, pageSize, type Replica } from "./replica.ts";
import type { Json, StorePart, Write } from "./store.ts";

const prefix = "chats/";
const epochKey = "epoch";
const stateKey = "state";
/** Changes are collected for so long before they are stored, in milliseconds. */
const delayMs = 300;

/** A chat as it is stored, in one piece: its version belongs to its messages. */
interface StoredChat extends Omit<ChatState, "history"> {
  epoch: string;
  /** The newest messages, without holes. */
  messages: readonly MessageItem[];
}

/** The personal state as it is stored, in one piece. */
interface StoredState {
  epoch: string;
  version: number;
  entries: readonly (readonly [string, Json])[];
}

/** Keeps the chats and the personal state in the store, so that the next start has them before the network answers. */
export class Persistence {
  private readonly dirty = new Set<number>();
  private isStateDirty = false;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private saving: Promise<void> = Promise.resolve();

  constructor(private readonly options: { store: StorePart; replica: Replica; onFailure(error: unknown): void }) {}

  /** Reads the stored chats into the replica. */
  async load(): Promise<void> {
    const { store, replica } = this.options;
    if (!store.hasBatch) return;
    const epoch = await store.get(epochKey);
    if (typeof epoch !== "string") return;
    replica.epoch = epoch;
    for (const [, value] of await store.entries(prefix)) {
      const chat = value as unknown as StoredChat;
      if (chat.epoch === epoch) replica.restore(toState(chat));
    }
    const state = (await store.get(stateKey)) as unknown as StoredState | undefined;
    if (state?.epoch === epoch) replica.state.set(state.version, state.entries);
    this.dirty.clear();
    this.isStateDirty = false;
  }

  /** Notes that a chat has changed or is gone. */
  noteChange(chatId: number): void {
    this.dirty.add(chatId);
    this.saveSoon();
  }

  /** Notes that the personal state has changed. */
  noteStateChange(): void {
    this.isStateDirty = true;
    this.saveSoon();
  }

  private saveSoon(): void {
    if (!this.options.store.hasBatch) return;
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      void this.save();
    }, delayMs);
  }

  /** Stores the epoch of the server's data. What other tabs store under another one is no longer read. */
  noteEpoch(epoch: string): void {
    const { store } = this.options;
    if (!store.hasBatch) return;
    this.enqueue(() => store.lock("chats", () => store.set(epochKey, epoch)));
  }

  /** Stores what has changed. Resolves when it is stored. */
  save(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    const chatIds = [...this.dirty];
    this.dirty.clear();
    const hasState = this.isStateDirty;
    this.isStateDirty = false;
    if (this.options.store.hasBatch && (hasState || chatIds.length > 0))
      this.enqueue(() => this.options.store.lock("chats", () => this.write(chatIds, hasState)));
    return this.saving;
  }

  /** Removes all chats from the store. */
  wipe(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.dirty.clear();
    this.isStateDirty = false;
    const { store } = this.options;
    this.enqueue(() =>
      store.lock("chats", async () => {
        const keys = (await store.entries(prefix)).map(([key]) => key);
        for (const key of [epochKey, stateKey, ...keys]) await store.delete(key);
      }),
    );
    return this.saving;
  }

  private enqueue(work: () => Promise<void>): void {
    this.saving = this.saving.then(work).catch((error) => this.options.onFailure(error));
  }

  /** Writes chats and personal state, unless another tab has stored a later version. */
  private async write(chatIds: readonly number[], hasState: boolean): Promise<void> {
    const { store, replica } = this.options;
    const { epoch } = replica;
    // Another tab has learned of another epoch: what this one has belongs to the one before.
    if (epoch === undefined || (await store.get(epochKey)) !== epoch) return;
    const writes: Write[] = [];
    for (const chatId of chatIds) {
      const key = prefix + chatId;
      const stored = (await store.get(key)) as unknown as StoredChat | undefined;
      const chat = replica.chats.get(chatId);
      if (!chat) {
        if (stored) writes.push({ key });
      } else if (stored?.epoch !== epoch || stored.version <= chat.version) {
        writes.push({ key, value: toStored(chat, epoch) as unknown as Json });
      }
    }
    if (hasState) {
      const { version, keys } = replica.state;
      const stored = (await store.get(stateKey)) as unknown as StoredState | undefined;
      if (stored?.epoch !== epoch || stored.version <= version) {
        const state: StoredState = { epoch, version, entries: [...keys] };
        writes.push({ key: stateKey, value: state as unknown as Json });
      }
    }
    if (writes.length > 0) await store.batch(writes);
  }
}

function toStored({ history, ...fields }: ChatState, epoch: string): StoredChat {
  const end = history.rangeAt(fields.lastSeq);
  const messages = end ? history.slice({ from: Math.max(end.from, end.to - pageSize + 1), to: end.to }) : [];
  return { epoch, ...fields, messages };
}

function toState({ messages, epoch: _, ...fields }: StoredChat): ChatState {
  const history = new History();
  for (const item of messages) history.append(item);
  return { ...fields, history };
}
