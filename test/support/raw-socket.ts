import { randomBytes } from "node:crypto";
import { connect, type Socket } from "node:net";
import { recordFrame } from "./leak-scan.ts";

/* A WebSocket client that can violate the protocol: it sends any bytes. Names follow RFC 6455. */

export const opcodes = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

/** Encodes one frame, valid unless the options say otherwise. */
export function wireFrame(
  payload: Buffer | string,
  options: {
    opcode?: number;
    /** Whether it is the last frame of its message. */
    fin?: boolean;
    /** The three reserved bits, as a number from 0 to 7. */
    rsv?: number;
    masked?: boolean;
    /** The length in the header, if not the payload's. */
    length?: bigint;
  } = {},
): Buffer {
  const { opcode = opcodes.text, fin = true, rsv = 0, masked = true } = options;
  const data = Buffer.from(payload);
  const length = options.length ?? BigInt(data.length);
  const first = (fin ? 0x80 : 0) | (rsv << 4) | opcode;
  const maskBit = masked ? 0x80 : 0;
  let head: Buffer;
  if (length < 126n) head = Buffer.from([first, maskBit | Number(length)]);
  else if (length < 65_536n) head = Buffer.from([first, maskBit | 126, Number(length >> 8n), Number(length & 255n)]);
  else {
    head = Buffer.alloc(10);
    head.writeUInt16BE((first << 8) | maskBit | 127);
    head.writeBigUInt64BE(length, 2);
  }
  if (!masked) return Buffer.concat([head, data]);
  const mask = randomBytes(4);
  for (let index = 0; index < data.length; index++) data[index] = (data[index] ?? 0) ^ (mask[index % 4] ?? 0);
  return Buffer.concat([head, mask, data]);
}

/** Encodes the payload of a close frame. */
export const closePayload = (code: number, reason: string | Buffer = ""): Buffer =>
  Buffer.concat([Buffer.from([code >> 8, code & 255]), Buffer.from(reason)]);

/** Limit for waiting for a frame, in milliseconds. */
const timeoutMs = 30_000;

/** An open socket. */
export class RawSocket {
  /** All received text frames. */
  readonly texts: string[] = [];
  /** Number of received pongs. */
  pongs = 0;
  /** The code of the server's close frame; undefined if the connection ended without one. */
  readonly closed: Promise<number | undefined>;
  private received = Buffer.alloc(0);
  private closeCode: number | undefined;
  private checkWaiter: () => void = () => {};

  private constructor(private readonly socket: Socket) {
    // Each write is sent at once, as a packet of its own.
    socket.setNoDelay();
    socket.on("data", (chunk) => {
      this.received = Buffer.concat([this.received, chunk]);
      this.readFrames();
      this.checkWaiter();
    });
    this.closed = new Promise((resolve) => socket.once("close", () => resolve(this.closeCode)));
    void this.closed.then(() => this.checkWaiter());
  }

  /** Opens a socket. @throws Error when the server rejects the upgrade */
  static open(port: number, token: string): Promise<RawSocket> {
    const socket = connect(port, "127.0.0.1");
    return new Promise((resolve, reject) => {
      let head = Buffer.alloc(0);
      socket.on("error", reject);
      socket.on("end", () => reject(new Error(`rejected: ${head}`)));
      const onData = (chunk: Buffer) => {
        head = Buffer.concat([head, chunk]);
        const end = head.indexOf("\r\n\r\n");
        if (end < 0) return;
        if (!head.toString().startsWith("HTTP/1.1 101 ")) return reject(new Error(`rejected: ${head}`));
        socket.off("data", onData);
        socket.pause();
        const raw = new RawSocket(socket);
        if (head.length > end + 4) socket.unshift(head.subarray(end + 4));
        socket.resume();
        resolve(raw);
      };
      socket.on("data", onData);
      socket.write(
        `GET / HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
          `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n` +
          `Authorization: Bearer ${token}\r\n\r\n`,
      );
    });
  }

  write(bytes: Buffer): void {
    if (this.socket.writable) this.socket.write(bytes);
  }

  /** Waits for a text frame that matches; undefined if the connection ends first. */
  waitForText(wanted: (text: string) => boolean): Promise<string | undefined> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`the frame was not received in time; so far: ${this.texts.join("\n").slice(-2000)}`)),
        timeoutMs,
      );
      const settle = (text: string | undefined) => {
        clearTimeout(timer);
        this.checkWaiter = () => {};
        resolve(text);
      };
      this.checkWaiter = () => {
        const found = this.texts.find(wanted);
        if (found !== undefined || this.socket.destroyed) settle(found);
      };
      this.checkWaiter();
    });
  }

  /** Resets the connection without a closing handshake. */
  reset(): void {
    this.socket.resetAndDestroy();
  }

  private readFrames(): void {
    for (;;) {
      const [first = 0, second = 0] = this.received;
      const short = second & 127;
      const headLength = short === 127 ? 10 : short === 126 ? 4 : 2;
      if (this.received.length < headLength) return;
      const length =
        short === 127
          ? Number(this.received.readBigUInt64BE(2))
          : short === 126
            ? this.received.readUInt16BE(2)
            : short;
      if (this.received.length < headLength + length) return;
      const payload = this.received.subarray(headLength, headLength + length);
      this.received = this.received.subarray(headLength + length);
      this.handleFrame(first & 15, payload);
    }
  }

  private handleFrame(opcode: number, payload: Buffer): void {
    if (opcode === opcodes.text) {
      this.texts.push(payload.toString());
      recordFrame(payload.toString());
    } else if (opcode === opcodes.pong) this.pongs++;
    else if (opcode === opcodes.close) {
      this.closeCode = payload.length >= 2 ? payload.readUInt16BE() : 1005;
      // Complete the closing handshake, so that the server does not wait for it.
      this.write(wireFrame(payload.subarray(0, 2), { opcode: opcodes.close }));
      this.socket.end();
    }
  }
}
