// Writes the screenshots of the README: `npm run screenshots`. With a folder as argument, writes every screen there, at
// 1280 and 390 pixels and in both themes.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Browser, Page } from "playwright-core";
import sharp from "sharp";
import { startEmbedded } from "../src/db/embedded.ts";
import { startChromium } from "../test/support/chromium.ts";
import { Device } from "../test/support/device.ts";
import { upload } from "../test/support/files.ts";
import { onDatabase } from "../test/support/on-database.ts";
import { ServerProcess } from "../test/support/process.ts";

type Theme = "light" | "dark";
type Size = 1280 | 390;

/** Where every screen is written. */
const [, , everything] = process.argv;
const folder = fileURLToPath(new URL("../docs/screenshots", import.meta.url));
const password = "correct horse battery";
const dataDir = await mkdtemp(join(tmpdir(), "messenger-screenshots-"));

/** The screens that are kept in the repository. */
const kept = [
  "chat-1280-light",
  "chat-1280-dark",
  "chats-390-light",
  "chat-390-dark",
  "log-in-390-light",
  "group-info-390-light",
  "new-chat-1280-light",
  "settings-1280-dark",
  "administration-users-1280-light",
];

interface Person {
  id: number;
  email: string;
  token: string;
  device: Device;
}

const start = () => ServerProcess.start({ DATA_DIR: dataDir, SERVER_NAME: "Willow House" });

async function register(port: number, firstName: string, lastName: string, local = firstName): Promise<Person> {
  const email = `${local.toLowerCase()}@example.org`;
  const response = await fetch(`http://127.0.0.1:${port}/auth/register`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ email, password, firstName, lastName }),
  });
  const { user, token } = (await response.json()) as { user: { id: number }; token: string };
  const device = await Device.connect(`ws://127.0.0.1:${port}`, { headers: { authorization: `Bearer ${token}` } });
  return { id: user.id, email, token, device };
}

/** Uploads files, and returns their ids. */
function uploadAll(port: number, person: Person, files: readonly [name: string, content: Buffer][]): Promise<string[]> {
  return Promise.all(files.map(([name, content]) => upload({ port }, person, content, name)));
}

async function setAvatar(port: number, { token }: Person, path: string, content: Buffer): Promise<void> {
  const headers = { authorization: `Bearer ${token}` };
  const { ok } = await fetch(`http://127.0.0.1:${port}${path}`, {
    method: "PUT",
    headers,
    body: new Uint8Array(content),
  });
  if (!ok) throw new Error(`no avatar at ${path}`);
}

/** A picture with a gradient between two colours. */
const picture = (width: number, height: number, from: string, to: string): Promise<Buffer> =>
  sharp(
    Buffer.from(
      `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">
         <defs><linearGradient id="g" x2="1" y2="1"><stop stop-color="${from}"/><stop offset="1" stop-color="${to}"/></linearGradient></defs>
         <rect width="100%" height="100%" fill="url(#g)"/><circle cx="70%" cy="35%" r="12%" fill="#fff8"/></svg>`,
    ),
  )
    .jpeg()
    .toBuffer();

/** Makes people and chats. Returns the person who looks at them. */
async function makeScene(): Promise<Person> {
  const server = await start();
  const names: readonly [firstName: string, lastName: string, local?: string][] = [
    ["Nora", "Lindqvist"],
    ["Ben", "Okafor"],
    ["Clara", "Nowak"],
    ["שירה", "לוי", "shira"],
    ["Maximilian-Alexander", "von Hohenstein-Waldburg"],
    ["Elena", "García"],
  ];
  const [me, ben, clara, shira, max, elena] = await Promise.all(
    names.map(([firstName, lastName, local]) => register(server.port, firstName, lastName, local)),
  );
  if (!me || !ben || !clara || !shira || !max || !elena) throw new Error("people are missing");
  const toMe = async (sender: Person, content: string) =>
    (await sender.device.request("privateMessage", { receiverId: me.id, content })).params.item;
  const fromMe = (receiver: Person, content: string) =>
    me.device.request("privateMessage", { receiverId: receiver.id, content });
  const newGroup = async (owner: Person, groupName: string, members: readonly Person[]) => {
    const groupId = (await owner.device.request("newGroup", { groupName })).params.item.chatId;
    for (const { id: userId } of members) await owner.device.request("addUserInGroup", { groupId, userId });
    const say = async (sender: Person, content: string, replyTo?: number) =>
      (
        await sender.device.request("messageInGroup", {
          groupId,
          content,
          ...(replyTo !== undefined && { replyTo }),
        })
      ).params.item;
    return { groupId, say };
  };

  await newGroup(max, "Organisation of the summer festival and all that belongs to it", [me, elena]);
  await toMe(shira, "תודה רבה! נתראה מחר");
  await toMe(max, "https://example.org/a/very/long/address/that/does/not/fit/into/the/row?with=parameters");
  await toMe(elena, "See you at eight 🎻");
  await fromMe(elena, "Perfect, I bring the music stands");
  const { say, groupId } = await newGroup(me, "Garden and kitchen", [ben, clara, elena]);
  await me.device.request("setMemberRole", { groupId, userId: clara.id, role: "admin" });
  await setAvatar(server.port, clara, "/users/me/avatar", await picture(512, 512, "#8a4fbf", "#f0a6ca"));
  await setAvatar(server.port, me, `/groups/${groupId}/avatar`, await picture(512, 512, "#1f6f54", "#bfe08a"));
  await say(clara, "The seedlings have arrived. There are far more tomatoes than we have pots for.");
  const question = await say(clara, "Who has time on **Saturday** to plant them?");
  await say(ben, "I do, from ten on.");
  await say(me, "Me too. What do we still need?");
  await say(clara, "Not much:\n\n- two bags of soil\n- string and `8 mm` stakes\n- coffee");
  await say(elena, "Only in the afternoon, sorry", question.messageId);
  await say(me, "Then Elena waters, and we plant. Soil is ordered: https://example.org/soil");
  await say(me, "Delivery is on Friday at noon.");
  const delivery = await say(me, "Soil and stakes are paid, by the way.");
  await say(ben, "🌱🍅");
  const react = (by: Person, messageId: number, emoji: string) =>
    by.device.request("react", { messageId, emoji, on: true });
  for (const by of [ben, clara, me]) await react(by, question.messageId, "👍");
  await react(elena, question.messageId, "😢");
  await react(ben, delivery.messageId, "🎉");
  await react(clara, delivery.messageId, "🎉");
  await me.device.request("pinMessage", { messageId: question.messageId, on: true });
  await me.device.request("markRead", { chatId: groupId, seq: (await say(clara, "Great, thank you all!")).seq });
  await say(ben, "I bring the wheelbarrow back tonight, by the way");
  const name = "Nora";
  await ben.device.request("messageInGroup", {
    groupId,
    content: `@${name} here are the beds, and the list`,
    mentions: [{ userId: me.id, offset: 0, length: name.length + 1 }],
    fileIds: await uploadAll(server.port, ben, [
      ["beds.jpg", await picture(1200, 800, "#2f7d4f", "#c8e06e")],
      ["the list of everything that is still missing in the garden.csv", Buffer.from("soil,2\nstring,1\n".repeat(80))],
    ]),
  });
  for (const content of ["Are you there?", "The lift is stuck again", "Never mind, it works"]) await toMe(ben, content);
  const { item } = (await fromMe(clara, "Here is the plan, comments welcome")).params;
  await clara.device.request("markRead", { chatId: item.chatId, seq: item.seq });
  await Promise.all([me, ben, clara, shira, max, elena].map(({ device }) => device.close()));
  await server.stop("SIGTERM");
  await spreadOverDays();
  await makeAdministrator(me);
  return me;
}

/** Gives the messages times of the last days, as if people had written them. */
async function spreadOverDays(): Promise<void> {
  const engine = await startEmbedded(dataDir);
  await onDatabase(engine.url, (client) =>
    client.query(
      `UPDATE messages SET created_at = now() - (power((SELECT max(id) FROM messages) - id, 1.6) + 3) * interval '7 minutes'`,
    ),
  );
  await engine.stop();
}

/** Makes a person an administrator of a server on which somebody else is suspended. */
async function makeAdministrator({ email }: Person): Promise<void> {
  const engine = await startEmbedded(dataDir);
  await onDatabase(engine.url, async (client) => {
    await client.query("UPDATE users SET role = 'admin' WHERE email = $1", [email]);
    await client.query("UPDATE users SET suspended_at = now() WHERE email LIKE 'maximilian%'");
  });
  await engine.stop();
}

async function openPage(browser: Browser, url: string, size: Size, colorScheme: Theme): Promise<Page> {
  const viewport = { width: size, height: size === 1280 ? 800 : 844 };
  const context = await browser.newContext({ viewport, colorScheme, hasTouch: size === 390 });
  const page = await context.newPage();
  await page.goto(url);
  return page;
}

/** Goes through the screens, and takes a picture of each. */
async function visit(page: Page, me: Person, size: Size, take: (screen: string) => Promise<void>): Promise<void> {
  const button = (name: string) => page.getByRole("button", { name, exact: true });
  await page.getByLabel("E-mail").fill(me.email);
  await button("Log in").click();
  await page.getByRole("alert").waitFor();
  await take("log-in");
  await page.getByRole("link", { name: "Create a new account" }).click();
  await page.getByLabel("First name").waitFor();
  await take("register");
  await page.goBack();
  if (everything) await visitLinks(page, take);
  await page.getByLabel("E-mail").fill(me.email);
  await page.getByLabel("Password").fill(password);
  await button("Log in").click();
  await page.getByRole("link", { name: /^Garden/ }).waitFor();
  await take("chats");
  await page.getByRole("link", { name: /^Garden/ }).click();
  // The newest message is shown before the others.
  await page.getByRole("article").filter({ hasText: "Delivery" }).waitFor();
  await page.getByRole("img", { name: "beds.jpg" }).waitFor();
  await take("chat");
  await button("Group info").click();
  await button("Member actions").first().waitFor();
  await take("group-info");
  await button("Member actions").first().click();
  await take("member-menu");
  await page.keyboard.press("Escape");
  await page.keyboard.press("Escape");
  await page.getByRole("article").filter({ hasText: "Delivery" }).click({ button: "right" });
  await take("message-menu");
  await page.getByRole("menuitem", { name: "Delete" }).click();
  await take("delete");
  await button("Cancel").click();
  await button("Emoji").click();
  await button("thumbs up").waitFor();
  await take("emoji");
  await page.keyboard.press("Escape");
  if (everything) await visitMessages(page, take);
  // Leaves a trace in the chat.
  if (everything) await visitOffline(page, take);
  if (size === 390) await button("Back").click();
  await page.getByRole("link", { name: /^Maximilian/ }).click();
  await page.getByRole("article").first().waitFor();
  await take("dialog");
  if (size === 390) await button("Back").click();
  await button("New chat").click();
  await page.getByRole("button", { name: /^Ben/ }).waitFor();
  await take("new-chat");
  await button("New group").click();
  await page.getByRole("button", { name: /^Ben/ }).click();
  await take("new-group");
  await button("Close").click();
  await page.keyboard.press("Control+k");
  await take("switcher");
  await button("Close").click();
  await page.getByRole("link", { name: "Settings" }).click();
  await page.getByText("This device", { exact: true }).last().waitFor();
  await take("settings");
  if (everything) await visitCrop(page, take);
  await page.getByRole("link", { name: "Administration" }).click();
  await page
    .getByRole("button", { name: /^Actions for/ })
    .first()
    .waitFor();
  await take("administration-users");
  if (everything) await visitAdministration(page, take);
}

/** The dialog in which the part of a picture is chosen that becomes an avatar. */
async function visitCrop(page: Page, take: (screen: string) => Promise<void>): Promise<void> {
  const buffer = await picture(900, 600, "#b5533c", "#f2d388");
  await page.locator("input[type=file]").first().setInputFiles({ name: "me.jpg", mimeType: "image/jpeg", buffer });
  const dialog = page.getByRole("dialog", { name: "Crop picture" });
  await dialog.getByRole("slider").waitFor();
  await take("crop");
  await dialog.getByRole("button", { name: "Cancel" }).click();
}

/** The pages that links lead to, and back to the log-in. */
async function visitLinks(page: Page, take: (screen: string) => Promise<void>): Promise<void> {
  const back = page.url();
  for (const path of ["setup#x", "reset#x", "verify#x", "verify", "forgotten-password"]) {
    await page.goto(new URL(`/${path}`, back).href);
    await page.getByRole("heading").first().waitFor();
    await take(path.replace("#x", "-link"));
  }
  await page.goto(back);
}

async function visitAdministration(page: Page, take: (screen: string) => Promise<void>): Promise<void> {
  const section = async (name: string, text: string | RegExp) => {
    await page.getByRole("navigation", { name: "Administration" }).getByRole("link", { name, exact: true }).click();
    await page.getByText(text).first().waitFor();
    await take(`administration-${name.replace(" ", "-").toLowerCase()}`);
  };
  await page.getByRole("button", { name: /^Actions for Ben/ }).click();
  await take("administration-user-menu");
  await page.getByRole("menuitem", { name: "Change name or e-mail" }).click();
  await page.getByRole("dialog").waitFor();
  await take("administration-change");
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: /^Actions for Ben/ }).click();
  await page.getByRole("menuitem", { name: "Reset password" }).click();
  await take("administration-question");
  await page.getByRole("button", { name: "Reset password" }).click();
  await page.getByRole("button", { name: "Copy link" }).waitFor();
  await take("administration-link");
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Create account" }).click();
  await page.getByRole("dialog").waitFor();
  await take("administration-create");
  await page.keyboard.press("Escape");
  await section("Groups", /· owner /);
  await page.getByRole("button", { name: "Actions for Garden and kitchen" }).click();
  await page.getByRole("menuitem", { name: "Change owner" }).click();
  await page.getByRole("dialog").getByRole("button").nth(3).waitFor();
  await take("administration-owner");
  await page.keyboard.press("Escape");
  await section("Invites", /Invite people/);
  await page.getByRole("button", { name: "Invite people" }).click();
  await page.getByRole("button", { name: "Create link" }).click();
  await page.getByRole("button", { name: "Done" }).click();
  await section("Invites", /Made by/);
  await section("Statistics", "Messages per day");
  await section("Audit log", /· from /);
}

/** What people do with messages: files, forwarding, search, mentions, the menu of a chat. */
async function visitMessages(page: Page, take: (screen: string) => Promise<void>): Promise<void> {
  const button = (name: string) => page.getByRole("button", { name, exact: true });
  const dialog = page.getByRole("dialog");
  await page.getByRole("button", { name: /beds\.jpg/ }).click();
  await take("viewer");
  await page.keyboard.press("Escape");
  await page.getByRole("article").filter({ hasText: "Delivery" }).click({ button: "right" });
  await page.getByRole("menuitem", { name: "Forward" }).click();
  await dialog.getByRole("button").nth(2).waitFor();
  await take("forward");
  await page.keyboard.press("Escape");
  await button("Search in this chat").click();
  await page.getByRole("searchbox", { name: "Find messages" }).fill("soil");
  await page.getByRole("list", { name: "Messages" }).getByRole("listitem").first().waitFor();
  await take("chat-search");
  await button("Close").click();
  await button("Chat actions").click();
  await take("chat-menu");
  await page.keyboard.press("Escape");
  if (await button("Back").isVisible()) await button("Back").click();
  await button("Mentions").click();
  await dialog.getByText("here are the beds").waitFor();
  await take("mentions");
  await page.keyboard.press("Escape");
  const search = page.getByRole("searchbox", { name: "Search", exact: true });
  await search.fill("soil");
  await page.getByRole("list", { name: "Messages" }).getByRole("listitem").first().waitFor();
  await take("search");
  await search.fill("");
  await page.getByRole("link", { name: /^Garden/ }).click();
  await page.getByRole("article").filter({ hasText: "Delivery" }).waitFor();
}

async function visitOffline(page: Page, take: (screen: string) => Promise<void>): Promise<void> {
  const field = page.getByRole("textbox", { name: "Message", exact: true });
  await page.context().setOffline(true);
  await page.getByRole("status").filter({ hasText: "Offline…" }).waitFor();
  await field.fill("Written while offline");
  await field.press("Enter");
  await field.fill("A draft of several lines\nthat lets the field grow");
  await take("offline");
  await page.context().setOffline(false);
  await field.fill("");
  await page.getByRole("article").last().getByRole("img", { name: "Sent" }).waitFor();
  await page.getByRole("article").last().click({ button: "right" });
  await page.getByRole("menuitem", { name: "Delete" }).click();
  await page.getByRole("button", { name: "Delete message" }).click();
  await page.getByText("Message deleted").last().waitFor();
}

/** WebP, which Chromium writes at a third of the size of a PNG. */
async function capture(page: Page, file: string): Promise<void> {
  const devTools = await page.context().newCDPSession(page);
  const { data } = await devTools.send("Page.captureScreenshot", { format: "webp", quality: 80 });
  await writeFile(file, Buffer.from(data, "base64"));
  await devTools.detach();
}

const browser = await startChromium();
try {
  const me = await makeScene();
  const server = await start();
  const url = `http://127.0.0.1:${server.port}`;
  for (const size of [1280, 390] as const) {
    for (const theme of ["light", "dark"] as const) {
      const page = await openPage(browser, url, size, theme);
      await visit(page, me, size, async (screen) => {
        await page.waitForFunction(() =>
          [...document.images].every(({ complete, src }) => complete && !src.startsWith("data:")),
        );
        const name = `${screen}-${size}-${theme}`;
        if (everything) await page.screenshot({ path: join(everything, `${name}.png`) });
        else if (kept.includes(name)) await capture(page, join(folder, `${name}.webp`));
      });
      await page.context().close();
    }
  }
  await server.stop("SIGTERM");
} finally {
  await browser.close();
  await rm(dataDir, { recursive: true, force: true });
}
