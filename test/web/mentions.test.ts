import { expect, test } from "@jest/globals";
import { describeWithChromium } from "../support/prerequisites.ts";
import { createGroup, sendToGroup } from "../support/scenes.ts";
import { gone } from "../support/web-page.ts";
import { useWebPeople } from "../support/web-people.ts";

/* Mentions in the web client: names completed with the keyboard, marks in messages and in the list of chats, and a jump. */

describeWithChromium("mentions in the web client", () => {
  const people = useWebPeople();

  test("are completed with the keyboard, shown to the person and listed", async () => {
    const ann = await people.person("Ann");
    const bob = await people.person("Bob");
    const device = await ann.user.connect();
    const groupId = await createGroup(device, [bob.user], "Bakers");
    await sendToGroup(device, groupId, "Welcome");
    await ann.web.openChat("Bakers");
    const field = ann.web.page.getByRole("textbox", { name: "Message" });
    await field.pressSequentially("Cake, @b");
    const options = ann.web.page.getByRole("listbox", { name: "Mention" }).getByRole("option");
    await options.first().waitFor();
    expect(await options.allInnerTexts()).toEqual(["@Bob"]);
    expect(await field.getAttribute("aria-activedescendant")).toBe(await options.first().getAttribute("id"));
    await field.press("Enter");
    await gone(options.first());
    expect(await field.inputValue()).toBe("Cake, @Bob ");
    await field.pressSequentially("or @all?");
    await field.press("Escape");
    await field.press("Enter");
    await ann.web.message("Cake, @Bob or @all?").locator(".mention", { hasText: "@Bob" }).waitFor();

    const row = bob.web.page.getByRole("link", { name: /Bakers.*1 mention/ });
    await row.waitFor();
    await bob.web.page.getByRole("button", { name: "Mentions" }).click();
    await bob.web.dialog("Mentions").getByRole("button", { name: /Cake/ }).click();
    await bob.web.message("Cake, @Bob or @all?").locator(".mention-me", { hasText: "@Bob" }).waitFor();
    await gone(row);
  });
});
