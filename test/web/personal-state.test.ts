import { expect, test } from "@jest/globals";
import { describeWithChromium } from "../support/prerequisites.ts";
import { createGroup, sendPrivately, sendToGroup } from "../support/scenes.ts";
import { gone, type WebPage } from "../support/web-page.ts";
import { useWebPeople } from "../support/web-people.ts";

/* Muted, archived and pinned chats, marks, drafts and preferences, on two devices of one person. */

describeWithChromium("personal state in the web client", () => {
  const people = useWebPeople();

  const choose = async (web: WebPage, ...names: string[]) => {
    await web.button("Chat actions").click();
    for (const name of names) await web.page.getByRole("menuitem", { name, exact: true }).click();
  };
  const row = (web: WebPage, name: RegExp) => web.chats.getByRole("list").getByRole("link", { name });
  const filter = (web: WebPage, name: string) => web.chats.getByRole("button", { name, exact: true });

  /** Ann with two devices; Bob, who has written to her; and her group. */
  async function scene() {
    const ann = await people.person("Ann");
    const bob = await people.messenger().person("Bob");
    const device = await bob.connect();
    await sendPrivately(device, ann.user.id, "Hello");
    const groupId = await createGroup(device, [ann.user], "Bakers");
    const other = await people.device(ann.user);
    const write = (text: string) => sendPrivately(device, ann.user.id, text);
    const writeToGroup = (text: string) => sendToGroup(device, groupId, text);
    const writeToAll = (content: string) => device.request("messageInGroup", { groupId, content, mentionsAll: true });
    return { web: ann.web, other, write, writeToGroup, writeToAll };
  }

  test("a muted chat shows no badge, counts nothing and notifies nobody; with mentions only, a mention notifies", async () => {
    const { web, other, write, writeToGroup, writeToAll } = await scene();
    await web.page.context().grantPermissions(["notifications"]);
    await web.page.evaluate(() => {
      const shown: string[] = [];
      const Fake = class {
        static permission = "granted";
        static requestPermission = async () => "granted";
        constructor(title: string, { body }: { body: string }) {
          shown.push(`${title} ${body}`);
        }
      };
      Object.assign(window, { shown, Notification: Fake });
    });
    await web.openSettings();
    await web.page.getByRole("checkbox", { name: /notify me/i }).check();
    const shown = () => web.page.evaluate(() => (window as unknown as { shown: string[] }).shown);
    await other.openChat("Bob");
    await web.page.evaluate(() => Object.defineProperty(document, "hasFocus", { value: () => false }));
    await choose(other, "Notifications", "Mute for 8 hours");
    await row(web, /^Bob.*Muted/s).waitFor();
    await write("quiet");
    await row(web, /^Bob.*quiet/s).waitFor();
    await gone(row(web, /^Bob.*unread/s));
    await choose(other, "Notifications", "Unmute");
    await gone(row(web, /^Bob.*Muted/s));
    await write("loud");
    await row(web, /^Bob.*loud/s).waitFor();
    await web.page.waitForFunction(() => (window as unknown as { shown: string[] }).shown.length > 0);
    expect(await shown()).toEqual(["Bob Bob: loud"]);

    await web.openChat("Bakers");
    await choose(web, "Notifications", "Mentions only");
    await writeToGroup("not you");
    await row(web, /^Bakers.*not you/s).waitFor();
    await writeToAll("all of you");
    await row(web, /^Bakers.*all of you/s).waitFor();
    await web.page.waitForFunction(() => (window as unknown as { shown: string[] }).shown.length > 1);
    expect(await shown()).toEqual(["Bob Bob: loud", "Bakers Bob: all of you"]);

    await choose(other, "Notifications", "No messages");
    await other.openChat("Bakers");
    await write("unnoticed");
    await row(web, /^Bob.*unnoticed/s).waitFor();
    await gone(row(web, /^Bob.*[1-9] unread/s));
  });

  test("an archived chat is in a list of its own until its next message, or longer while it is muted", async () => {
    const { web, other, writeToGroup } = await scene();
    await web.openChat("Bakers");
    await choose(web, "Archive");
    for (const device of [web, other]) await gone(device.chat("Bakers"));
    await filter(other, "Archived").click();
    await other.openChat("Bakers");
    await gone(other.chat("Bob"));
    await writeToGroup("fresh bread");
    await web.chat("Bakers").waitFor();
    await gone(filter(other, "Archived"));
    await other.chat("Bob").waitFor();

    await choose(other, "Notifications", "Mute for ever");
    await choose(other, "Archive");
    await gone(web.chat("Bakers"));
    await writeToGroup("more bread");
    await filter(web, "Archived").click();
    await row(web, /^Bakers.*more bread.*Muted/s).click();
    await choose(web, "Unarchive");
    await gone(filter(other, "Archived"));
    await other.chat("Bakers").waitFor();
  });

  test("pinned chats come first, and a chat that is marked as unread is so until it is opened", async () => {
    const { web, other, writeToGroup } = await scene();
    await web.openChat("Bob");
    await choose(web, "Pin chat");
    await row(other, /^Bob.*Pinned/s).waitFor();
    await writeToGroup("newer than what Bob wrote");
    await row(other, /^Bakers.*newer/s).waitFor();
    expect(await other.chats.getByRole("list").getByRole("link").first().innerText()).toContain("Bob");
    await choose(web, "Mark as unread");
    await row(other, /^Bob.*marked as unread/s).waitFor();
    await row(web, /^Bob.*marked as unread/s).waitFor();
    await filter(other, "Unread").click();
    await other.openChat("Bob");
    await gone(row(web, /^Bob.*marked as unread/s));
    await choose(other, "Unpin chat");
    await gone(row(web, /^Bob.*Pinned/s));
  });

  test("a draft follows to the other device, where it can be finished, and survives the end of the page", async () => {
    const { web, other } = await scene();
    await web.openChat("Bob");
    await other.openChat("Bob");
    await web.composer.fill("I will be ");
    await expectText(other, "I will be ");
    await other.composer.fill("I will be there");
    await expectText(web, "I will be there");
    await other.page.reload();
    await expectText(other, "I will be there");
    await other.button("Send").click();
    await expectText(web, "");
    // Written a moment before the page is left.
    await web.composer.fill("one more thing");
    await web.openSettings();
    await row(web, /^Bob.*Draft: one more thing/s).waitFor();
    await expectText(other, "one more thing");
  });

  test("theme and sound follow to the other device", async () => {
    const { web, other } = await scene();
    await web.openSettings();
    await other.openSettings();
    await web.page.getByRole("radio", { name: "Dark" }).check();
    await other.page.waitForFunction(() => document.documentElement.dataset.theme === "dark");
    await other.page.getByRole("checkbox", { name: "Play a sound with them" }).check();
    const sound = web.page.getByRole("checkbox", { name: "Play a sound with them" });
    await sound.and(web.page.locator(":checked")).waitFor();
  });

  const expectText = (web: WebPage, text: string) =>
    web.page.waitForFunction(
      (wanted) => document.querySelector<HTMLTextAreaElement>(".composer textarea")?.value === wanted,
      text,
    );
});
