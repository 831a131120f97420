import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { recordOutput } from "./leak-scan.ts";

/* Upgrade requests on a plain TCP connection, and their responses as they were received. */

export interface RawAnswer {
  status: number;
  headers: Map<string, string>;
  body: string;
  /** The response as it was received. */
  text: string;
}

/** The parts of a complete HTTP response. */
export function parse(text: string): RawAnswer {
  const [head = "", ...rest] = text.split("\r\n\r\n");
  const [statusLine = "", ...lines] = head.split("\r\n");
  return {
    status: Number(/^HTTP\/1\.1 (\d{3}) /.exec(statusLine)?.[1]),
    headers: new Map(lines.map((line) => [line.split(":")[0]?.toLowerCase() ?? "", line.replace(/^[^:]*: */, "")])),
    body: rest.join("\r\n\r\n"),
    text,
  };
}

/** How long the server may take, in milliseconds. */
const timeoutMs = 5000;

/** The next event of this name; fails the test if there is none in time. */
export const nextEvent = (socket: Socket, event: "connect" | "data" | "end" | "close"): Promise<unknown[]> =>
  once(socket, event, { signal: AbortSignal.timeout(timeoutMs) }).catch((cause) => {
    throw new Error(`the connection had no "${event}" event in time`, { cause });
  });

/** Opens a plain TCP connection. */
export async function connectRaw(port: number): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => {});
  await nextEvent(socket, "connect");
  return socket;
}

/** The text of an upgrade request, valid except for what the headers replace. */
export function upgradeRequest(port: number, headers: Record<string, string> = {}, path = "/"): string {
  const all = {
    Host: `127.0.0.1:${port}`,
    Connection: "Upgrade",
    Upgrade: "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    ...headers,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `GET ${path} HTTP/1.1\r\n${lines.join("")}\r\n`;
}

/** Sends bytes and returns everything received until the server ends the connection. */
export async function readUntilEnd(port: number, bytes: string | Buffer): Promise<string> {
  const socket = await connectRaw(port);
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  const ended = nextEvent(socket, "end");
  socket.write(bytes);
  await ended;
  recordOutput(Buffer.concat(chunks).toString());
  return Buffer.concat(chunks).toString();
}

/** The header that carries an access token. */
export const bearer = (token: string) => ({ Authorization: `Bearer ${token}` });
