import { chmod, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { makeFolder } from "../db/make-folder.ts";
import { shortPathTo } from "../db/short-path.ts";
import { AppError } from "../errors.ts";
import type { Logger } from "../logger.ts";
import { type CommandAnswer, type CommandRequest, controlFolder, socketName } from "./ask-server.ts";
import type { CommandContext } from "./command.ts";
import { commands, internalCommands } from "./registry.ts";

const maxRequestBytes = 1024 * 1024;

/**
 * Runs the commands of other processes on the data folder.
 * @returns a function that ends it
 */
export async function listenForCommands(dataDir: string, context: CommandContext): Promise<() => Promise<void>> {
  const folder = controlFolder(dataDir);
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
    const command = [...commands, ...internalCommands].find((candidate) => candidate.name === name);
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
