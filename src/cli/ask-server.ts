import { createConnection } from "node:net";
import { join } from "node:path";
import { shortPathTo } from "../db/short-path.ts";
import { AppError } from "../errors.ts";
import type { CommandInput, CommandResult } from "./command.ts";

/*
 * The embedded database belongs to one process. A command finds the running server by a Unix socket in a folder of the
 * data folder that only its owner can open, and has the server run it. A request and its answer are one line of JSON each.
 */

export const controlFolder = (dataDir: string): string => join(dataDir, "control");
export const socketName = "commands";

export interface CommandRequest {
  command: string;
  input: CommandInput;
}

export type CommandAnswer = { result: CommandResult } | { error: string; kind?: AppError["kind"] };

/**
 * Has the server that uses a data folder run a command.
 * @returns undefined if none is running
 * @throws AppError if the command fails
 */
export async function askRunningServer(dataDir: string, request: CommandRequest): Promise<CommandResult | undefined> {
  const short = await shortPathTo(controlFolder(dataDir));
  try {
    const text = await exchange(join(short.path, socketName), JSON.stringify(request));
    if (text === undefined) return undefined;
    const received: CommandAnswer = JSON.parse(text);
    if ("result" in received) return received.result;
    throw new AppError(received.kind ?? "internal", received.error);
  } finally {
    await short.remove();
  }
}

/** @returns undefined if nobody listens */
function exchange(path: string, request: string): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    let text = "";
    const socket = createConnection(path, () => socket.end(request));
    socket.setEncoding("utf8");
    socket.on("data", (chunk) => {
      text += chunk;
    });
    socket.on("end", () => resolve(text || undefined));
    socket.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "ECONNREFUSED" || error.code === "ENOENT" || error.code === "ENOTDIR") resolve(undefined);
      else reject(error);
    });
  });
}
