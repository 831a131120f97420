import { WebSocket } from "ws";
import { Messenger, type MessengerOptions } from "../../src/index.ts";

/*
 * Logs in, does one thing, closes the messenger, and prints how long the process lives on after that. Arguments: the
 * address of the server, an e-mail address, a password, the id of another user, and what to do.
 */

const [url = "", email = "", password = "", peerId = "", scenario = ""] = process.argv.slice(2);
const messenger = new Messenger({ url, WebSocket: WebSocket as unknown as NonNullable<MessengerOptions["WebSocket"]> });
await messenger.login({ email, password });
await new Promise<void>((resolve) => {
  messenger.connection.subscribe(({ state }) => {
    if (state === "live") resolve();
  });
});
const chat = messenger.dialogWith(Number(peerId));
if (scenario === "sent") await chat.send("Hello").sent;
else if (scenario === "sending") chat.send("Hello");
else if (scenario === "failing handler") {
  const handled = new Promise<void>((resolve) => {
    messenger.handle("bot", () => {
      resolve();
      throw new Error("the handler fails");
    });
  });
  await handled;
}
await messenger.close();
const closedAt = performance.now();
process.on("exit", () => process.stdout.write(String(performance.now() - closedAt)));
