import type { Http } from "./http.ts";
import type { GetUsersAnswer, MessageItem, Person, ProfileChange, SyncChat } from "./protocol.ts";

/** The most ids that one request may have. */
const maxIds = 100;

/** The names of users, as they were in the latest frame that contained them. */
export class People {
  private readonly known = new Map<number, Person>();

  constructor(
    private readonly options: {
      http: Http;
      token(): Promise<string>;
      onUpdate(userId: number): void;
    },
  ) {}

  /** The current name of a user; undefined if no frame has contained it. */
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

  note({ id, firstName, lastName }: Person): void {
    const known = this.known.get(id);
    if (known?.firstName === firstName && known.lastName === lastName) return;
    this.known.set(id, { id, firstName, lastName });
    this.options.onUpdate(id);
  }

  noteSender({ senderId, senderName, senderLastName }: MessageItem): void {
    this.note({ id: senderId, firstName: senderName, lastName: senderLastName });
  }

  notePeer({ userId, userName, userLastName = null }: SyncChat): void {
    if (userId !== undefined && userName !== undefined)
      this.note({ id: userId, firstName: userName, lastName: userLastName });
  }

  noteProfile({ userId, firstName, lastName }: ProfileChange): void {
    this.note({ id: userId, firstName, lastName });
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
