import { chmod, rm } from "node:fs/promises";
import { createConnection, createServer } from "node:net";
import { join } from "node:path";
import { makeFolder } from "../db/make-folder.ts";
import { shortPathTo } from "../db/short-path.ts";
import { AppError } from "../errors.ts";
import type { Logger } from "../logger.ts";
import type { CommandContext, CommandInput, CommandResult } from "./command.ts";
import { commands } from "./registry.ts";

/*
 * The embedded database belongs to one process. A command finds the running server by a Unix socket in a folder of the
 * data folder that only its owner can open, and has the server run it. A request and its answer are one line of JSON each.
 */

const folderName = "control";
const socketName = "commands";
const maxRequestBytes = 1024 * 1024;

interface CommandRequest {
  command: string;
  input: CommandInput;
}

type CommandAnswer = { result: CommandResult } | { error: string; kind?: AppError["kind"] };

/**
 * Runs the commands of other processes on the data folder.
 * @returns a function that ends it
 */
export async function listenForCommands(dataDir: string, context: CommandContext): Promise<() => Promise<void>> {
  const folder = join(dataDir, folderName);
  await makeFolder(folder);
  await chmod(folder, 0o700);
  const short = await shortPathTo(folder);
  const path = join(short.path, socketName);
  await rm(path, { force: true });
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    let text = "";
    socket.setEncoding("utf8");
    socket.on("error", () => {});
    socket.on("data", (chunk) => {
      text += chunk;
      if (text.length > maxRequestBytes) socket.destroy();
    });
    socket.on("end", async () => socket.end(`${JSON.stringify(await answer(text, context))}\n`));
  });
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(path, resolve));
  server.unref();
  return async () => {
    await new Promise<void>((resolve) => server.close(() => resolve()));
    await short.remove();
  };
}

async function answer(text: string, context: CommandContext): Promise<CommandAnswer> {
  try {
    const { command: name, input }: CommandRequest = JSON.parse(text);
    const command = commands.find((candidate) => candidate.name === name);
    if (command?.needs !== "database")
      return { error: `The running server does not know the command ${name}: restart it after an upgrade.` };
    return { result: await command.run(context, input) };
  } catch (error) {
    if (error instanceof AppError) return { error: error.message, kind: error.kind };
    logFailure(context.log, error);
    return { error: "The server failed to run the command; its log says why." };
  }
}

const logFailure = (log: Logger, error: unknown): void => log.error({ err: error }, "a command failed");

/**
 * Has the server that uses a data folder run a command.
 * @returns undefined if none is running
 * @throws AppError if the command fails
 */
export async function askRunningServer(dataDir: string, request: CommandRequest): Promise<CommandResult | undefined> {
  const short = await shortPathTo(join(dataDir, folderName));
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
