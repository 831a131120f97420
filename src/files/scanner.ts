import { spawn } from "node:child_process";
import { once } from "node:events";
import { createReadStream } from "node:fs";
import { connect } from "node:net";
import { text } from "node:stream/consumers";

/** A scan takes at most so long, in milliseconds. */
const timeoutMs = 60_000;
/** clamd refuses longer chunks by default, and streams longer than its StreamMaxLength. */
const chunkBytes = 64 * 1024;

/** Looks for malware. */
export interface Scanner {
  /**
   * @returns whether the file is clean
   * @throws Error if that cannot be found out now
   */
  isClean(path: string): Promise<boolean>;
}

/**
 * Runs a command with the path of the file as its last argument, without a shell. Like `clamscan`, it ends with 0 for a clean
 * file, with 1 for an infected one, and with anything else after a failure.
 */
export class CommandScanner implements Scanner {
  /** @param command the program and its arguments, separated by spaces */
  constructor(private readonly command: string) {}

  isClean(path: string): Promise<boolean> {
    const [program = "", ...given] = this.command.split(" ").filter((part) => part !== "");
    return new Promise((resolve, reject) => {
      const child = spawn(program, [...given, path], { stdio: "ignore", timeout: timeoutMs, killSignal: "SIGKILL" });
      child.once("error", reject);
      child.once("close", (code) => {
        if (code === 0 || code === 1) resolve(code === 0);
        else reject(new Error(`the command that scans files ended with ${code ?? "a signal"}`));
      });
    });
  }
}

/** Sends files to clamd with its command INSTREAM. */
export class ClamdScanner implements Scanner {
  constructor(private readonly address: { host: string; port: number }) {}

  async isClean(path: string): Promise<boolean> {
    const socket = connect(this.address);
    socket.setTimeout(timeoutMs, () => socket.destroy(new Error("clamd does not answer")));
    try {
      await once(socket, "connect");
      const answered = text(socket);
      // Awaited below; a failure of the socket is reported there.
      answered.catch(() => {});
      const write = async (bytes: Buffer) => {
        if (!socket.write(bytes)) await Promise.race([once(socket, "drain"), answered]);
      };
      await write(Buffer.from("zINSTREAM\0"));
      for await (const chunk of createReadStream(path, { highWaterMark: chunkBytes })) {
        const length = Buffer.alloc(4);
        length.writeUInt32BE(chunk.length);
        await write(length);
        await write(chunk);
      }
      await write(Buffer.alloc(4));
      const answer = (await answered).replace(/\0/g, "").trim();
      if (answer.endsWith(" OK")) return true;
      if (answer.endsWith(" FOUND")) return false;
      throw new Error("clamd could not scan a file");
    } finally {
      socket.destroy();
    }
  }
}
