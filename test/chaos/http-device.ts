import { fieldsOf, type HttpAnswer, type HttpRequest, sendRequest } from "./http-requests.ts";
import type { Log } from "./log.ts";
import type { Random } from "./random.ts";
import { digestOf, type UploadedFile, uploadText } from "./uploads.ts";

/** What one device does over HTTP: it uploads and reads files, and sets avatars. Any process may be asked. */
export class HttpDevice {
  private fileCount = 0;

  constructor(private readonly options: { name: string; userId: number; token: string; log: Log; random: Random }) {}

  /** Uploads a small file. @returns undefined if the outcome is not known */
  async upload(ports: readonly number[]): Promise<UploadedFile | undefined> {
    const { name, userId, random, log } = this.options;
    const text = `file ${++this.fileCount} of ${name} `.repeat(random.between(1, 300));
    const send = (request: HttpRequest) => this.send(random.pick(ports) ?? 0, request);
    const uploaded = await uploadText(text, { random, send });
    if (!uploaded) return undefined;
    log.counts.uploads++;
    const file = { ...uploaded, ownerId: userId, isSent: false };
    log.uploads.set(file.id, file);
    return file;
  }

  /** Reads a file. @returns the digest of its content, `null` if there is none for the user, or undefined without an answer */
  async readFile(port: number, fileId: string): Promise<string | null | undefined> {
    const answer = await this.send(port, { method: "GET", path: `/files/${fileId}` });
    if (answer?.status === 200) return digestOf(answer.body);
    return answer?.status === 404 ? null : undefined;
  }

  /** Sets or removes the avatar of the user, or of a group. */
  async setAvatar(port: number, groupId: number | undefined, picture: Buffer | undefined): Promise<void> {
    const { userId, log } = this.options;
    const path = groupId === undefined ? "/users/me/avatar" : `/groups/${groupId}/avatar`;
    const startedAt = Date.now();
    const answer = await this.send(
      port,
      picture ? { method: "PUT", path, type: "image/png", parts: [picture] } : { method: "DELETE", path },
    );
    const isKnown = answer !== undefined && answer.status < 500;
    if (isKnown && answer.status >= 400) return;
    const given = isKnown && picture ? String(fieldsOf(answer).avatarId) : null;
    if (isKnown) log.counts.avatars++;
    const avatarId = isKnown ? given : undefined;
    log.avatarRequests.push({ userId, groupId, avatarId, startedAt, endedAt: Date.now() });
  }

  /** Sends a request over HTTP. @returns undefined if the connection is lost before the answer */
  send(port: number, request: HttpRequest): Promise<HttpAnswer | undefined> {
    return sendRequest({ port, token: this.options.token }, request);
  }
}
