import type { Http } from "./http.ts";
import type { PostFilesLinksAnswer } from "./protocol.ts";

/** A link is renewed when it ends within this time, in milliseconds. */
const renewBeforeMs = 120_000;
const maxIds = 100;

/** Links by which pages load files: `<img>` and `<video>` send no token. Those that are asked for together are made together. */
export class FileLinks {
  private readonly links = new Map<string, { url: string; endsAt: number }>();
  private readonly waiting = new Map<string, Promise<void>>();
  private batch: { ids: string[]; made: Promise<void> } | undefined;

  /** @param options.baseUrl the address of the server, without a slash at its end */
  constructor(private readonly options: { http: Http; baseUrl: string; token(): Promise<string> }) {}

  /**
   * The address of a file, or of a thumbnail that fits into a square of so many pixels. It works for some minutes: ask again
   * when a page needs the file again. Undefined if the user may not read it.
   * @param options.isNew makes another link, after the one before did not work
   * @throws MessengerError
   */
  async url(fileId: string, options: { size?: 320 | 640; isNew?: boolean } = {}): Promise<string | undefined> {
    const known = this.links.get(fileId);
    if (options.isNew || !known || known.endsAt - Date.now() < renewBeforeMs) await this.make(fileId);
    const link = this.links.get(fileId);
    if (!link) return undefined;
    return `${this.options.baseUrl}${link.url}${options.size ? `&size=${options.size}` : ""}`;
  }

  private make(fileId: string): Promise<void> {
    const waiting = this.waiting.get(fileId);
    if (waiting !== undefined) return waiting;
    if (!this.batch || this.batch.ids.length >= maxIds) {
      const ids: string[] = [];
      // Those of one turn together.
      this.batch = { ids, made: Promise.resolve().then(() => this.request(ids)) };
    }
    this.batch.ids.push(fileId);
    const made = this.batch.made.finally(() => this.waiting.delete(fileId));
    this.waiting.set(fileId, made);
    return made;
  }

  private async request(ids: string[]): Promise<void> {
    if (this.batch?.ids === ids) this.batch = undefined;
    const { http, token } = this.options;
    const { data } = await http.request<PostFilesLinksAnswer>("POST", "/files/links", {
      token: await token(),
      body: { ids },
    });
    for (const id of ids) this.links.delete(id);
    for (const { id, url, expiresAt } of data) this.links.set(id, { url, endsAt: Date.parse(expiresAt) });
  }
}
