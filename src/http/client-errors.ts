import { type ServerResponse, STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";

const statuses: Readonly<Record<string, number>> = {
  ERR_HTTP_REQUEST_TIMEOUT: 408,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 413,
  HPE_HEADER_OVERFLOW: 431,
};

/** The status for an error of Node's HTTP parser; undefined for one of the connection itself, which nobody can answer. */
export function statusOfClientError({ code = "" }: NodeJS.ErrnoException): number | undefined {
  return statuses[code] ?? (code.startsWith("HPE_") ? 400 : undefined);
}

/** Answers a request that Node could not read, as Node does by default, unless a response is being sent, and disconnects. */
export function answerClientError(
  socket: Duplex,
  { status, responses }: { status: number | undefined; responses: ReadonlySet<ServerResponse> },
): void {
  const isResponding = [...responses].some(({ headersSent }) => headersSent);
  if (status !== undefined && socket.writable && !isResponding) {
    socket.write(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\n\r\n`);
  }
  socket.destroy();
}
