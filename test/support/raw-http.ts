import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { recordOutput } from "./leak-scan.ts";

/* An HTTP client that sends any text and returns the received text unchanged. */

/** Opens a TCP connection to this port and sends this text. */
export async function openAndSend(port: number, text: string): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => {});
  await once(socket, "connect");
  socket.write(text);
  return socket;
}

/** Reads until the server closes the connection. */
export async function readToEnd(socket: Socket): Promise<string> {
  let text = "";
  for await (const chunk of socket) text += String(chunk);
  recordOutput(text);
  return text;
}

/** Waits for `count` complete responses on one connection and returns their texts. */
export async function readResponses(socket: Socket, count: number): Promise<string[]> {
  let text = "";
  for (;;) {
    const responses = text.split(/(?=HTTP\/1\.1 \d{3} )/).filter(isComplete);
    if (responses.length >= count) {
      recordOutput(text);
      return responses;
    }
    text += String((await once(socket, "data", { signal: AbortSignal.timeout(5000) }))[0]);
  }
}

function isComplete(response: string): boolean {
  const [head = "", body = ""] = response.split("\r\n\r\n");
  const length = /content-length: (\d+)/i.exec(head)?.[1];
  return length !== undefined && Buffer.byteLength(body) >= Number(length);
}
