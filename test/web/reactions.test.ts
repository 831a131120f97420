import { expect, test } from "@jest/globals";
import { describeWithChromium } from "../support/prerequisites.ts";
import { createGroup, sendPrivately, sendToGroup } from "../support/scenes.ts";
import { gone, type WebPage } from "../support/web-page.ts";
import { useWebPeople } from "../support/web-people.ts";

/* Two people who react to messages and pin them, each in a browser context of their own. */

describeWithChromium("reactions and pins in the web client", () => {
  const people = useWebPeople();

  const reaction = (web: WebPage, text: string, name: string, pressed: boolean) =>
    web.message(text).getByRole("button", { name, exact: true, pressed });

  test("both react, and each sees what the other does", async () => {
    const ann = await people.person("Ann");
    const bob = await people.person("Bob");
    await sendPrivately(await ann.user.connect(), bob.user.id, "Cake?");
    await bob.web.openChat("Ann");
    await ann.web.openChat("Bob");
    await bob.web.message("Cake?").hover();
    await bob.web.message("Cake?").getByRole("button", { name: "Message actions" }).click();
    await bob.web.page.getByRole("menuitemcheckbox", { name: "👍" }).click();
    await reaction(bob.web, "Cake?", "👍 1", true).waitFor();
    await reaction(ann.web, "Cake?", "👍 1", false).click();
    await reaction(ann.web, "Cake?", "👍 2", true).waitFor();
    await reaction(bob.web, "Cake?", "👍 2", true).click();
    await reaction(bob.web, "Cake?", "👍 1", false).waitFor();

    await bob.web.act("Cake?", "More reactions");
    const picker = bob.web.dialog("React");
    await picker.getByRole("searchbox", { name: "Find an emoji" }).fill("coffee");
    await picker.getByRole("button", { name: "hot beverage", exact: true }).click();
    await reaction(ann.web, "Cake?", "☕ 1", false).waitFor();
    await gone(picker);

    await ann.web.act("Cake?", "Reactions");
    const list = ann.web.dialog("Reactions").getByRole("listitem");
    await list.nth(1).waitFor();
    expect((await list.allInnerTexts()).map((text) => text.split(/\s+/).slice(-2))).toEqual([
      ["Ann", "👍"],
      ["Bob", "☕"],
    ]);
    // After a reload, the own reactions are marked as before.
    await ann.web.page.reload();
    await reaction(ann.web, "Cake?", "👍 1", true).waitFor();
    await reaction(ann.web, "Cake?", "☕ 1", false).waitFor();
  });

  test("an admin pins a message, members jump to it and cannot remove it", async () => {
    const owner = await people.person("Olga");
    const member = await people.person("Mike");
    const device = await owner.user.connect();
    const groupId = await createGroup(device, [member.user], "Bakers");
    await sendToGroup(device, groupId, "The rules");
    for (let n = 1; n <= 60; n++) await sendToGroup(device, groupId, `chatter ${n}`);
    const { messageId } = await sendToGroup(device, groupId, "The oven");
    await device.request("pinMessage", { messageId, on: true });
    await member.web.openChat("Bakers");
    await owner.web.openChat("Bakers");
    const bar = (web: WebPage) => web.page.getByRole("region", { name: "Pinned" });
    await bar(member.web).getByRole("button", { name: "Pinned message The oven" }).waitFor();
    await gone(bar(member.web).getByRole("button", { name: "Show" }));

    await owner.web.act("chatter 60", "Pin");
    await bar(member.web).getByRole("button", { name: "Pinned message chatter 60" }).waitFor();
    await owner.web.message("chatter 60").getByRole("img", { name: "Pinned" }).waitFor();
    const rules = (await device.request("getMessages", { chatId: groupId, after: 0, limit: 5 })).params.data.find(
      ({ message }) => message === "The rules",
    );
    await device.request("pinMessage", { messageId: rules?.messageId ?? 0, on: true });
    await bar(member.web).getByRole("button", { name: "Pinned message The rules" }).click();
    await member.web.message("The rules").waitFor();
    await member.web.page.waitForFunction(() => document.activeElement?.textContent?.includes("The rules"));

    await bar(member.web).getByRole("button", { name: "All 3" }).click();
    await gone(member.web.dialog("Pinned messages").getByRole("button", { name: "Unpin" }));
    await owner.web.page.getByRole("button", { name: "All 3" }).click();
    const list = owner.web.dialog("Pinned messages");
    for (const left of [2, 1, 0]) {
      await list.getByRole("button", { name: "Unpin" }).first().click();
      await owner.web.page.waitForFunction(
        (count) => document.querySelectorAll("dialog .pinned-row").length === count,
        left,
      );
    }
    await gone(bar(member.web));
  });
});
