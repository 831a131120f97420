import { Messenger } from "messenger-client";
import { file } from "messenger-client/node";
import WebSocket from "ws";

const { MESSENGER_URL = "http://localhost:3000", BOT_EMAIL = "", BOT_PASSWORD = "" } = process.env;
const store = file("data/echo-bot.jsonl");
const messenger = new Messenger({ url: MESSENGER_URL, store, WebSocket, log: console });
if (!(await messenger.resume())) await messenger.login({ email: BOT_EMAIL, password: BOT_PASSWORD });

messenger.handle("echo", (message, chat) => {
  chat.send(`You said: ${message.text}`);
});

process.once("SIGTERM", () => void messenger.close());
