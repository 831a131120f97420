import { expect, test } from "@jest/globals";
import { describeWithChromium } from "../support/prerequisites.ts";
import { createGroup, sendToGroup } from "../support/scenes.ts";
import { gone } from "../support/web-page.ts";
import { useWebPeople } from "../support/web-people.ts";

/* The web client without a mouse, and on small and enlarged screens. */

describeWithChromium("the web client with the keyboard only", () => {
  const people = useWebPeople();

  async function threeChats(options = {}) {
    const owner = await people.messenger().person("Owner");
    const { web, user } = await people.person("Keya", options);
    const device = await owner.connect();
    for (const name of ["Alpha", "Beta", "Gamma"]) {
      const groupId = await createGroup(device, [user], name);
      for (let index = 1; index <= 8; index++) await sendToGroup(device, groupId, `${name} ${index}`);
    }
    await web.chat("Gamma").filter({ hasText: "Gamma 8" }).waitFor();
    return { web, device, keyboard: web.page.keyboard };
  }

  const focusedText = (web: { page: { evaluate<T>(work: () => T): Promise<T> } }) =>
    web.page.evaluate(() => document.activeElement?.textContent ?? "");

  test("one logs in, finds a chat with Ctrl+K, writes, and reaches the messages", async () => {
    const { web, keyboard } = await threeChats();
    await keyboard.press("Control+k");
    await web.dialog("Go to a chat").waitFor();
    await keyboard.type("alph");
    await keyboard.press("Enter");
    await web.log("Alpha").waitFor();
    await keyboard.type("typed at once");
    await keyboard.press("Enter");
    await web.message("typed at once").waitFor();

    await keyboard.press("Alt+ArrowDown");
    await web.log("Gamma").waitFor();
    await keyboard.press("Alt+ArrowDown");
    await web.log("Beta").waitFor();
    await keyboard.press("Alt+ArrowUp");
    await web.log("Gamma").waitFor();
  });

  test("the log is one tab stop, the arrows walk its messages, and the menu opens by Enter and Shift+F10", async () => {
    const { web, keyboard, device } = await threeChats();
    await web.openChat("Beta");
    await web.composer.focus();
    expect(await web.log().locator("article[tabindex='0']").count()).toBe(1);
    // From the composer backwards: the emoji button, then the current message with its action.
    for (let presses = 0; presses < 6 && !(await focusedText(web)).startsWith("Owner"); presses++) {
      await keyboard.press("Shift+Tab");
      if (await web.page.evaluate(() => document.activeElement?.matches("article"))) break;
    }
    expect(await focusedText(web)).toContain("Beta 8");
    await keyboard.press("ArrowUp");
    await keyboard.press("ArrowUp");
    expect(await focusedText(web)).toContain("Beta 6");
    const before = await focusedText(web);
    await sendToGroup(device, Number(new URL(web.page.url()).pathname.split("/").at(-1)), "an interruption");
    await web.message("an interruption").waitFor();
    expect(await focusedText(web)).toBe(before);
    await keyboard.press("Home");
    await keyboard.press("ArrowDown");
    await keyboard.press("End");
    expect(await focusedText(web)).toContain("an interruption");
    await keyboard.press("ArrowUp");

    await keyboard.press("Shift+F10");
    await web.page.getByRole("menuitem", { name: "Reply" }).waitFor();
    await keyboard.press("Escape");
    await gone(web.page.getByRole("menu"));
    expect(await focusedText(web)).toContain("Beta 8");
    await keyboard.press("Enter");
    await web.page.getByRole("menuitem", { name: "Reply" }).waitFor();
    await keyboard.press("Enter");
    await web.button("Cancel").waitFor();
    await keyboard.type("a reply");
    await keyboard.press("Enter");
    await web
      .message("a reply")
      .getByRole("button", { name: /Beta 8/ })
      .waitFor();
  });

  test("Escape goes back to the composer, and closes dialogs, which give the focus back", async () => {
    const { web, keyboard } = await threeChats();
    await web.openChat("Beta");
    await web.button("Group info").focus();
    await keyboard.press("Enter");
    await web.dialog("Group info").waitFor();
    await keyboard.press("Escape");
    await gone(web.dialog("Group info"));
    expect(await web.page.evaluate(() => document.activeElement?.getAttribute("aria-label"))).toBe("Group info");
    await keyboard.press("Escape");
    expect(await web.page.evaluate(() => document.activeElement?.getAttribute("aria-label"))).toBe("Message");
  });

  test("the emoji are found, walked through and inserted", async () => {
    const { web, keyboard } = await threeChats();
    await web.openChat("Beta");
    await web.button("Emoji").focus();
    await keyboard.press("Enter");
    await web.page.getByRole("searchbox", { name: "Find an emoji" }).fill("thumbs up");
    await web.button("thumbs up").waitFor();
    await keyboard.press("ArrowDown");
    await keyboard.press("Enter");
    await keyboard.press("Escape");
    expect(await web.composer.inputValue()).toBe("👍️");
  });

  test("on a narrow screen, the list and the chat are shown one at a time", async () => {
    const { web } = await threeChats({ viewport: { width: 390, height: 844 } });
    expect(await web.composer.count()).toBe(0);
    await web.openChat("Beta");
    await gone(web.chats);
    await web.send("from a phone");
    await web.message("from a phone").waitFor();
    await web.button("Back").click();
    await web.chat("Beta").filter({ hasText: "from a phone" }).waitFor();
    await web.openSettings();
    await gone(web.chats);
    await web.button("Back").click();
    await web.chats.waitFor();
    await web.page.goBack();
    await web.page.getByRole("heading", { name: "Settings" }).waitFor();
  });

  const screens = [
    { name: "320 px", options: { viewport: { width: 320, height: 640 } } },
    // 200 % zoom is half the size in CSS pixels.
    { name: "200 % zoom", options: { viewport: { width: 640, height: 400 }, deviceScaleFactor: 2 } },
  ];
  for (const { name, options } of screens) {
    test(`nothing scrolls sideways at ${name}`, async () => {
      const { web, device } = await threeChats(options);
      const overflow = () =>
        web.page.evaluate(() =>
          [...document.querySelectorAll("*")]
            .filter((element) => {
              const { right, width } = element.getBoundingClientRect();
              const scrolls = /auto|scroll/.test(getComputedStyle(element).overflowX);
              const isSideways = scrolls && element.scrollWidth > element.clientWidth;
              const isExempt = element.closest(".visually-hidden, pre") !== null;
              return width > 0 && !isExempt && (right > innerWidth + 1 || isSideways);
            })
            .map((element) => `${element.tagName} ${element.className}`),
        );
      await web.openChat("Beta");
      const groupId = Number(new URL(web.page.url()).pathname.split("/").at(-1));
      await sendToGroup(device, groupId, "x".repeat(4096));
      await sendToGroup(device, groupId, `\`${"code".repeat(100)}\`\n\n\`\`\`\n${"long ".repeat(100)}\n\`\`\``);
      await web.message("long long").waitFor();
      expect(await overflow()).toEqual([]);
      await web.button("Group info").click();
      await web.dialog("Group info").waitFor();
      expect(await overflow()).toEqual([]);
      await web.page.keyboard.press("Escape");
      await web.button("Back").click();
      expect(await overflow()).toEqual([]);
      await web.button("New chat").click();
      await web.dialog("New chat").waitFor();
      expect(await overflow()).toEqual([]);
      await web.page.keyboard.press("Escape");
      await web.openSettings();
      expect(await overflow()).toEqual([]);
    });
  }
});
