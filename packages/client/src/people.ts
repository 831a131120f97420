import type { Http } from "./http.ts";
import { type Observable, State } from "./observable.ts";
import type { GetUsersAnswer, MessageItem, Person, SyncChat } from "./protocol.ts";
import type { ChatState } from "./replica.ts";

/** The most ids that one request may have. */
const maxIds = 100;

/** The names and avatars of users, as they were in the latest frame that contained them. */
export class People {
  private readonly known = new Map<number, Person>();
  /** @internal Those that were received or asked for: messages contain names only. */
  readonly avatars = new Map<number, State<string | undefined>>();
  private readonly missing: number[] = [];

  constructor(
    private readonly options: {
      http: Http;
      token(): Promise<string>;
      onUpdate(): void;
    },
  ) {}

  /** The current name and avatar of a user; undefined if no frame has contained the name. */
  get(userId: number): Person | undefined {
    return this.known.get(userId);
  }

  /**
   * Finds users by the beginning of a name, or by a complete e-mail address; all users without a text.
   * @param options.cursor the `nextCursor` of the page before
   * @throws MessengerError
   */
  async search(
    search: string,
    options: { limit?: number; cursor?: string } = {},
  ): Promise<{ data: readonly Person[]; nextCursor: string | null }> {
    return this.list({ ...(search && { search }), ...options });
  }

  /** Reads users by id, of whom those that do not exist are left out. @throws MessengerError */
  async load(userIds: readonly number[]): Promise<readonly Person[]> {
    const found: Person[] = [];
    for (let start = 0; start < userIds.length; start += maxIds) {
      const { data } = await this.list({ ids: userIds.slice(start, start + maxIds).join(",") });
      found.push(...data);
    }
    return found;
  }

  /**
   * The id of the avatar of a user, which follows when it changes; undefined without one. Where no frame has contained it, it
   * is read from the server: those that are asked for together, in one request.
   */
  avatar(userId: number): Observable<string | undefined> {
    if (!this.avatars.has(userId) && this.missing.push(userId) === 1) {
      // What fails here is read with the next connection.
      queueMicrotask(() => void this.load(this.missing.splice(0)).catch(() => {}));
    }
    return this.avatarState(userId);
  }

  /** Notes a name and an avatar. */
  note(person: Person): void {
    this.put(person);
    this.avatarState(person.id).set(person.avatarId);
  }

  noteSender({ senderId: id, senderName: firstName, senderLastName: lastName }: MessageItem): void {
    this.put({ ...this.known.get(id), id, firstName, lastName });
  }

  notePeer(chat: SyncChat): void {
    const { userId, userName } = chat;
    if (userId && userName) this.note(peerOf(chat, userId));
  }

  private put(person: Person): void {
    if (isSamePerson(this.known.get(person.id), person)) return;
    this.known.set(person.id, person);
    this.options.onUpdate();
  }

  private avatarState(userId: number): State<string | undefined> {
    const avatar = this.avatars.get(userId) ?? new State<string | undefined>(undefined);
    this.avatars.set(userId, avatar);
    return avatar;
  }

  private async list(query: Record<string, string | number>): Promise<GetUsersAnswer> {
    const text = new URLSearchParams(Object.entries(query).map(([key, value]) => [key, String(value)])).toString();
    const answer = await this.options.http.request<GetUsersAnswer>("GET", `/users?${text}`, {
      token: await this.options.token(),
    });
    for (const person of answer.data) this.note(person);
    return answer;
  }
}

type PeerOfChat = Pick<ChatState, "userName" | "userLastName" | "avatarId">;

/** The other user of a dialog. */
export const peerOf = (
  { userName: firstName = "", userLastName: lastName = null, avatarId }: PeerOfChat,
  id: number,
): Person => ({ id, firstName, lastName, ...(avatarId && { avatarId }) });

export const isSamePerson = (a: Person | undefined, b: Person): boolean =>
  a?.id === b.id && a.firstName === b.firstName && a.lastName === b.lastName && a.avatarId === b.avatarId;
