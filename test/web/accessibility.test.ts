import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { expect, test } from "@jest/globals";
import type { AxeResults } from "axe-core";
import { invite, promote } from "../support/invites.ts";
import { plainPicture } from "../support/pictures.ts";
import { describeWithChromium } from "../support/prerequisites.ts";
import { createGroup, sendPrivately, sendToGroup } from "../support/scenes.ts";
import { gone, WebPage } from "../support/web-page.ts";
import { useWebPeople } from "../support/web-people.ts";

/* axe-core on each screen, in both themes. */

const axeSource = readFileSync(createRequire(__filename).resolve("axe-core/axe.min.js"), "utf8");

describeWithChromium("axe finds no violation", () => {
  const people = useWebPeople();

  async function violations({ page }: WebPage): Promise<string[]> {
    const { violations: found } = (await page.evaluate("axe.run()")) as AxeResults;
    return found.flatMap(({ id, nodes }) =>
      nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`),
    );
  }

  const picture = () => plainPicture(600, 400, "#2b66a8");

  /** Checks what is shown now, wide and narrow. */
  async function check(web: WebPage): Promise<void> {
    await web.page.evaluate(axeSource);
    expect(await violations(web)).toEqual([]);
  }

  for (const colorScheme of ["light", "dark"] as const) {
    test(`before the log-in, ${colorScheme}`, async () => {
      const web = await WebPage.open(await people.browser.context({ colorScheme }), people.url());
      await web.button("Log in").waitFor();
      await check(web);
      await web.button("Log in").click();
      await web.alert.first().waitFor();
      await check(web);
      await web.link("Create a new account").click();
      await web.button("Create account").click();
      await check(web);
    });

    test(`with invites, ${colorScheme}`, async () => {
      const admin = await promote(people.messenger(), await people.messenger().person("Ada"));
      const groupIds = [await createGroup(await admin.connect(), [], `Invited ${colorScheme}`)];
      const { token } = await invite(people.messenger(), admin, { groupIds, email: "nina@example.test" });
      const context = await people.browser.context({ colorScheme });
      const guest = await WebPage.open(context, people.url(), `/invite#${token}`);
      await guest.button("Create account").waitFor();
      await check(guest);
      await guest.page.goto(`${people.url()}/invite#nothing`);
      await guest.page.getByText("This invite does not work.").waitFor();
      await check(guest);
      const web = await people.device(admin, { colorScheme });
      await web.openSettings();
      await web.button("Revoke the invite for nina@example.test").waitFor();
      await web.button("Invite people").click();
      await check(web);
      await web.button("Create link").click();
      await web.button("Copy link").waitFor();
      await check(web);
    });

    test(`in chats, ${colorScheme}`, async () => {
      const other = await people.messenger().person("Other");
      const { web, user } = await people.person("Axel", { colorScheme });
      await check(web);
      const device = await other.connect();
      const groupId = await createGroup(device, [user], `Group ${colorScheme}`);
      await sendToGroup(device, groupId, "**bold** `code`\n\n> quote\n\n- one\n- two\n\nhttps://example.org");
      const { messageId } = await sendPrivately(device, user.id, "Hello\n\n```\ncode\n```");
      await sendPrivately(device, user.id, "as I said", { replyTo: messageId });
      await device.request("react", { messageId, emoji: "👍", on: true });
      await device.request("pinMessage", { messageId, on: true });
      await device.request("deleteMessage", { messageId: (await sendPrivately(device, user.id, "oops")).messageId });
      await web.chat("Other").waitFor();
      await check(web);
      await web.openChat("Other");
      await web.message("as I said").waitFor();
      await web.send("my answer");
      await web.mark("my answer", "Sent").waitFor();
      await check(web);
      await web.act("my answer", "Edit");
      await check(web);
      await web.button("Cancel").click();
      await web.message("my answer").hover();
      await web.message("my answer").getByRole("button", { name: "Message actions" }).click();
      await check(web);
      await web.page.keyboard.press("Escape");
      await web.act("my answer", "Delete");
      await check(web);
      await web.confirm("Cancel");
      await web.act("my answer", "Read by");
      await check(web);
      await web.page.keyboard.press("Escape");
      await web.act("my answer", "More reactions");
      await web.dialog("React").getByRole("searchbox", { name: "Find an emoji" }).fill("thumbs");
      await gone(web.dialog("React").getByRole("button", { name: "grinning face" }));
      await web.dialog("React").getByRole("button", { name: "thumbs up" }).waitFor();
      await check(web);
      await web.page.keyboard.press("Escape");
      await gone(web.dialog("React"));
      await web.button("Emoji").click();
      // All of them at once would take axe half a minute.
      await web.page.getByRole("searchbox", { name: "Find an emoji" }).fill("thumbs");
      await gone(web.button("grinning face"));
      await web.button("thumbs up").waitFor();
      await check(web);
      await web.page.keyboard.press("Escape");
      await web.page.context().setOffline(true);
      await web.status(/^Offline…/).waitFor();
      await web.send("not yet sent");
      await check(web);
    });

    test(`in groups, dialogs and settings, ${colorScheme}`, async () => {
      const { web, user } = await people.person("Gerda", { colorScheme });
      const other = await people.messenger().person("Zacharias");
      await createGroup(await user.connect(), [other], `Club ${colorScheme}`);
      await web.openChat(`Club ${colorScheme}`);
      await check(web);
      await web.button("Group info").click();
      await web.button("Member actions").waitFor();
      await check(web);
      await web.button("Rename").click();
      await check(web);
      await web.button("Add people").click();
      await web
        .dialog("Group info")
        .getByRole("button", { name: /Person|Other|Axel/ })
        .first()
        .waitFor();
      await check(web);
      await web.page.keyboard.press("Escape");
      await web.button("New chat").click();
      await web
        .dialog("New chat")
        .getByRole("button", { name: /^Zacharias/ })
        .first()
        .waitFor();
      await check(web);
      await web.button("New group").click();
      await web.button("Create group").click();
      await check(web);
      await web.page.keyboard.press("Escape");
      await web.page.keyboard.press("Control+k");
      await web.dialog("Go to a chat").waitFor();
      await check(web);
      await web.page.keyboard.press("Escape");
      await web.openSettings();
      await web.page.getByText("This device", { exact: true }).first().waitFor();
      await check(web);
      const choosing = web.page.waitForEvent("filechooser");
      await web.button("Choose picture").click();
      await (await choosing).setFiles({ name: "a.png", mimeType: "image/png", buffer: await picture() });
      await web.dialog("Crop picture").waitFor();
      await check(web);
      await web.button("Use picture").click();
      await web.button("Remove picture").waitFor();
      await check(web);
      await web.button("Delete account").click();
      await check(web);
    });

    test(`on a narrow screen, ${colorScheme}`, async () => {
      const { web, user } = await people.person("Nils", { colorScheme, viewport: { width: 390, height: 844 } });
      await check(web);
      const other = await people.messenger().person("Other");
      await sendPrivately(await other.connect(), user.id, "Hello");
      await web.openChat("Other");
      await check(web);
      await web.button("Back").click();
      await web.openSettings();
      await check(web);
    });
  }
});
