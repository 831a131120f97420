import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { witness } from "./leak-scan.ts";

/* An HTTP client that says whatever it is told to, and gives what comes as it is. */

/** Opens a bare connection to this port and says this on it. */
export async function say(port: number, text: string): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => {});
  await once(socket, "connect");
  socket.write(text);
  return socket;
}

/** All that comes until the server ends the connection. */
export async function restOf(socket: Socket): Promise<string> {
  let text = "";
  for await (const chunk of socket) text += String(chunk);
  witness(text);
  return text;
}

/** The answers of one connection, as whole texts, once there are so many. */
export async function answers(socket: Socket, count: number): Promise<string[]> {
  let text = "";
  for (;;) {
    const found = text.split(/(?=HTTP\/1\.1 \d{3} )/).filter(isWhole);
    if (found.length >= count) {
      witness(text);
      return found;
    }
    text += String((await once(socket, "data", { signal: AbortSignal.timeout(5000) }))[0]);
  }
}

function isWhole(answer: string): boolean {
  const [head = "", body = ""] = answer.split("\r\n\r\n");
  const length = /content-length: (\d+)/i.exec(head)?.[1];
  return length !== undefined && Buffer.byteLength(body) >= Number(length);
}
