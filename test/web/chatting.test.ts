import { expect, test } from "@jest/globals";
import { describeWithChromium } from "../support/prerequisites.ts";
import { sendPrivately } from "../support/scenes.ts";
import { until } from "../support/until.ts";
import { gone } from "../support/web-page.ts";
import { useWebPeople } from "../support/web-people.ts";

/* Two people who write to each other, each in a browser context of their own. */

describeWithChromium("a dialog in the web client", () => {
  const people = useWebPeople();

  /** Two people with a new dialog that has one message of the first. */
  async function dialog() {
    const ann = await people.person("Ann");
    const bob = await people.person("Bob");
    const device = await ann.user.connect();
    await sendPrivately(device, bob.user.id, "Hello Bob");
    await ann.web.openChat("Bob");
    await bob.web.openChat("Ann");
    await bob.web.message("Hello Bob").waitFor();
    return { ann: ann.web, bob: bob.web, device, bobId: bob.user.id };
  }

  test("somebody is found by name, and receives the first message with an unread badge", async () => {
    const { web: ann } = await people.person("Finder");
    const { web: bob } = await people.person("Quentin");
    await ann.findPerson("Quentin");
    await ann.send("Hi Quentin");
    await bob.chat("Finder").filter({ hasText: "Hi Quentin" }).waitFor();
    await bob.link(/^Finder.* 1 unread/s).waitFor();
    await ann.mark("Hi Quentin", "Sent").waitFor();
    await bob.openChat("Finder");
    await ann.mark("Hi Quentin", "Read").waitFor();
    await bob.page.waitForFunction(() => document.title === "Messenger");
    expect(new URL(ann.page.url()).pathname).toMatch(/^\/chats\/\d+$/);
  });

  test("a message is sent, edited and deleted, and the other sees each", async () => {
    const { ann, bob } = await dialog();
    await ann.send("a frist try");
    await bob.message("a frist try").waitFor();
    await ann.act("a frist try", "Edit");
    await ann.composer.fill("a first try");
    await ann.composer.press("Enter");
    await bob.message("a first try").filter({ hasText: "edited" }).waitFor();
    expect(await ann.composer.inputValue()).toBe("");
    await ann.act("a first try", "Delete");
    await ann.confirm(/^Delete/);
    await bob.message("Message deleted").waitFor();
    await gone(bob.message("a first try"));
  });

  test("only what one may do is offered: others' messages are neither edited nor deleted", async () => {
    const { bob } = await dialog();
    await bob.message("Hello Bob").getByRole("button", { name: "Message actions" }).click();
    expect(await bob.page.getByRole("menuitem").allTextContents()).toEqual([
      ...["Reply", "Forward", "More reactions", "Copy", "Pin", "Read by"],
    ]);
    await bob.page.keyboard.press("Escape");
    await gone(bob.page.getByRole("menu"));
  });

  test("Cancel leaves an edit and a reply, and the draft is as before", async () => {
    const { ann } = await dialog();
    await ann.composer.fill("half a thou");
    await ann.act("Hello Bob", "Edit");
    await ann.button("Cancel").click();
    expect(await ann.composer.inputValue()).toBe("half a thou");
    await ann.act("Hello Bob", "Reply");
    await ann.button("Cancel").click();
    await gone(ann.button("Cancel"));
    expect(await ann.composer.inputValue()).toBe("half a thou");
  });

  test("the up arrow edits the last own message, and Escape leaves it", async () => {
    const { ann, bob } = await dialog();
    await bob.send("Good day");
    await ann.message("Good day").waitFor();
    await ann.composer.press("ArrowUp");
    expect(await ann.composer.inputValue()).toBe("Hello Bob");
    await ann.composer.press("Escape");
    expect(await ann.composer.inputValue()).toBe("");
  });

  test("Shift+Enter breaks the line", async () => {
    const { ann, bob } = await dialog();
    await ann.composer.pressSequentially("one");
    await ann.composer.press("Shift+Enter");
    await ann.composer.pressSequentially("two");
    await ann.composer.press("Enter");
    await bob.message(/one\s*two/).waitFor();
  });

  test("a reply shows what it answers, and the quote jumps there from far away", async () => {
    const { ann, bob, device, bobId } = await dialog();
    for (let index = 1; index <= 150; index++) await sendPrivately(device, bobId, `filler ${index}.`);
    await bob.message("filler 150.").waitFor();
    await bob.page.reload();
    await bob.message("filler 150.").waitFor();
    // Everything has been read, so the button is not named after the unread messages.
    await gone(bob.button(/new message/i));
    const [first] = await people
      .messenger()
      .sql<{ id: number }>("SELECT id FROM messages WHERE content = 'Hello Bob' ORDER BY id DESC LIMIT 1");
    await sendPrivately(device, bobId, "as I said", { replyTo: first?.id ?? 0 });
    await bob.message("as I said").waitFor();
    for (const web of [ann, bob]) {
      await web
        .message("as I said")
        .getByRole("button", { name: /Hello Bob/ })
        .click();
      const target = web.message(/^.*Hello Bob/).first();
      await target.waitFor();
      await web.page.waitForFunction(() => document.activeElement?.textContent?.includes("Hello Bob"));
      // From there, the button leads back; until the message counts as read, it is named after it.
      const back = web.page.getByRole("button", { name: /^Newest messages|new message/ });
      await back.click();
      await web.message("as I said").waitFor();
      await gone(back);
      // The same quote jumps again.
      await web
        .message("as I said")
        .getByRole("button", { name: /Hello Bob/ })
        .click();
      await web.page.waitForFunction(() => document.activeElement?.textContent?.startsWith("Hello Bob"));
    }
  });

  test("typing and presence are shown", async () => {
    const { ann, bob } = await dialog();
    await ann.page.getByText("online", { exact: true }).waitFor();
    await bob.composer.pressSequentially("th");
    await ann.page.getByText("typing…").first().waitFor();
    await bob.composer.fill("");
    await bob.send("done");
    await ann.message("done").waitFor();
    await gone(ann.page.getByText("typing…").first());
    await bob.page.context().close();
    await ann.page.getByText(/^last seen/).waitFor();
  });

  test("a draft is kept over a change of chat and a reload, and shown in the list", async () => {
    const { ann } = await dialog();
    await ann.composer.fill("not sent yet");
    await ann.openSettings();
    await ann.chat("Bob").filter({ hasText: "Draft: not sent yet" }).waitFor();
    await ann.page.reload();
    await ann.openChat("Bob");
    // It may come from the server.
    await until(async () => (await ann.composer.inputValue()) === "not sent yet");
  });

  test("who has read a message is listed", async () => {
    const { ann } = await dialog();
    await ann.mark("Hello Bob", "Read").waitFor();
    await ann.act("Hello Bob", "Read by");
    await ann.dialog("Read by").getByText("Bob").waitFor();
    await ann.page.keyboard.press("Escape");
    await gone(ann.dialog("Read by"));
  });

  test("a text is copied", async () => {
    const { ann } = await dialog();
    await ann.page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
    await ann.act("Hello Bob", "Copy");
    await ann.page.waitForFunction(async () => (await navigator.clipboard.readText()) === "Hello Bob");
  });

  test("a message that arrives while one has scrolled up moves nothing, and the button counts it", async () => {
    const { ann, bob, device, bobId } = await dialog();
    for (let index = 1; index <= 60; index++) await sendPrivately(device, bobId, `line ${index}.`);
    await bob.message("line 60.").waitFor();
    await bob.message("line 60.").hover();
    await bob.page.mouse.wheel(0, -700);
    await bob.button("Newest messages").waitFor();
    const place = async () => (await bob.message("line 55.").boundingBox())?.y;
    const before = await place();
    await ann.send("something new");
    await bob.button("1 new message").waitFor();
    expect(await place()).toBe(before);
    expect(await bob.page.evaluate(() => document.activeElement?.getAttribute("aria-label"))).toBe("Message");
    await bob.button("1 new message").click();
    await bob.message("something new").waitFor();
    await gone(bob.button(/new message/));
    await ann.mark("something new", "Read").waitFor();
  });

  test("a blocked person cannot write, and can again when unblocked", async () => {
    const { ann, bob } = await dialog();
    await ann.button("Chat actions").click();
    await ann.page.getByRole("menuitem", { name: "Block" }).click();
    await ann.confirm(/^Block/);
    await ann.alert.filter({ hasText: "Bob is blocked." }).waitFor();
    await bob.send("are you there?");
    await bob.mark("are you there?", "Not sent").waitFor();
    await bob.button("Discard").click();
    await gone(bob.message("are you there?"));
    await ann.button("Chat actions").click();
    await ann.page.getByRole("menuitem", { name: "Unblock" }).click();
    await ann.alert.filter({ hasText: "no longer blocked" }).waitFor();
    await bob.send("now?");
    await ann.message("now?").waitFor();
  });

  test("clearing a chat hides it from the one who cleared it only", async () => {
    const { ann, bob } = await dialog();
    await ann.button("Chat actions").click();
    await ann.page.getByRole("menuitem", { name: "Clear chat" }).click();
    await ann.confirm(/^Clear/);
    await gone(ann.message("Hello Bob"));
    expect(await bob.message("Hello Bob").count()).toBe(1);
  });
});
