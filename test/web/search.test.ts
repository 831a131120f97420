import { expect, test } from "@jest/globals";
import { describeWithChromium } from "../support/prerequisites.ts";
import { createGroup, sendPrivately, sendToGroup } from "../support/scenes.ts";
import { gone } from "../support/web-page.ts";
import { useWebPeople } from "../support/web-people.ts";

/* Search in messages, over all chats and in one, and the jump to what was found. */

describeWithChromium("search in messages in the web client", () => {
  const people = useWebPeople();

  /** Ann with a dialog, and a group with a long history. */
  async function scene() {
    const ann = await people.person("Ann");
    const bob = await people.person("Bob");
    const device = await bob.user.connect();
    const groupId = await createGroup(device, [ann.user], "Bakers");
    await sendToGroup(device, groupId, "The crème brûlée <b>recipe</b>");
    for (let n = 1; n <= 60; n++) await sendToGroup(device, groupId, `chatter ${n}`);
    await sendPrivately(device, ann.user.id, "Do you like creme brulee?");
    return { ann, bob, device };
  }

  test("finds messages of all chats beside chats by name, and jumps to one in a long chat", async () => {
    const { ann } = await scene();
    const { page } = ann.web;
    const found = ann.web.chats.getByRole("region", { name: "Messages" }).getByRole("button");
    await ann.web.chats.getByRole("searchbox", { name: "Search" }).fill("BRULEE");
    await found.nth(1).waitFor();
    expect(await found.locator("mark").allInnerTexts()).toEqual(["brulee", "brûlée"]);
    expect(await found.nth(1).innerText()).toContain("<b>recipe</b>");
    await found.nth(1).click();
    await ann.web.message("The crème brûlée").waitFor();
    await page.waitForFunction(() => document.activeElement?.textContent?.includes("crème brûlée"));
    // In the chat that is open, too.
    await ann.web.chats.getByRole("searchbox", { name: "Search" }).fill("chatter 44");
    await found.first().click();
    await ann.web.message("chatter 44").waitFor();

    await ann.web.chats.getByRole("searchbox", { name: "Search" }).fill("Baker");
    await ann.web.chat("Bakers").waitFor();
    await ann.web.status("No message contains this.").waitFor();
    await ann.web.chats.getByRole("searchbox", { name: "Search" }).fill("x");
    await ann.web.alert.filter({ hasText: "at least two letters" }).waitFor();
    await ann.web.chats.getByRole("searchbox", { name: "Search" }).fill("");
    await gone(ann.web.chats.getByRole("region", { name: "Messages" }));
  });

  test("finds messages of one chat only, in pages", async () => {
    const { ann } = await scene();
    await ann.web.openChat("Bakers");
    await ann.web.button("Search in this chat").click();
    const dialog = ann.web.dialog("Search in this chat");
    await dialog.getByRole("searchbox", { name: "Find messages" }).fill("chatter");
    const found = dialog.getByRole("list", { name: "Messages" }).getByRole("button");
    await found.nth(19).waitFor();
    await dialog.getByRole("button", { name: "More messages" }).click();
    await found.nth(39).waitFor();
    await dialog.getByRole("searchbox", { name: "Find messages" }).fill("brulee");
    await found.filter({ hasText: "crème" }).click();
    await gone(dialog);
    await ann.web.page.waitForFunction(() => document.activeElement?.textContent?.includes("crème brûlée"));
  });
});
