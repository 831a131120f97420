import type { IncomingMessage, ServerResponse } from "node:http";
import type { FileInfo } from "../domain/file.ts";
import { AppError } from "../errors.ts";
import type { Uploads } from "../services/files/uploads.ts";

/** An upload that sends nothing for so long is given up, in milliseconds. */
const stallMs = 15_000;

/** How long the rest of a body is discarded after the response, in milliseconds. */
const unreadBodyMs = 5000;

/** Receives the body of a request as the content of a file. */
export async function receiveContent(
  uploads: Uploads,
  userId: number,
  id: string,
  request: IncomingMessage,
): Promise<FileInfo> {
  const file = await uploads.find(userId, id);
  const length = request.headers["content-length"];
  if (length === undefined) throw new AppError("lengthRequired", "Content-Length is required");
  if (Number(length) !== file.declaredSize) {
    throw new AppError("uploadMismatch", `The file was announced with ${file.declaredSize} bytes, not with ${length}`);
  }
  try {
    return await uploads.receive(file, bodyOf(request));
  } catch (error) {
    // Let the client read the answer: what it still sends is discarded.
    request.resume();
    throw error;
  }
}

/** Disconnects a client that was answered before it had sent everything, and goes on sending. */
export function endWithResponse(request: IncomingMessage, response: ServerResponse): void {
  response.once("finish", () => {
    if (request.complete) return;
    const timer = setTimeout(() => request.socket.destroy(), unreadBodyMs);
    request.once("end", () => clearTimeout(timer));
    request.once("error", () => clearTimeout(timer));
  });
}

/** The chunks of a body. Throws if the client cuts it off, or sends nothing for too long. */
async function* bodyOf(request: IncomingMessage): AsyncIterable<Buffer> {
  let timer: NodeJS.Timeout | undefined;
  const stalled = new AppError("uploadStalled", `Nothing was received for ${stallMs / 1000} s; nothing was kept`);
  const chunks = request.iterator({ destroyOnReturn: false });
  try {
    for (;;) {
      const timeout = new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(stalled), stallMs);
      });
      timeout.catch(() => {});
      const { done, value } = await Promise.race([chunks.next(), timeout]);
      clearTimeout(timer);
      if (done) return;
      yield value;
    }
  } catch (error) {
    throw error instanceof AppError
      ? error
      : new AppError("uploadMismatch", "The upload was cut off; nothing was kept");
  } finally {
    clearTimeout(timer);
    // Not awaited: a read in progress may never end.
    void chunks.return?.().catch(() => {});
  }
}
