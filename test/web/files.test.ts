import { randomBytes } from "node:crypto";
import { expect, test } from "@jest/globals";
import sharp from "sharp";
import { describeWithChromium } from "../support/prerequisites.ts";
import { sendPrivately } from "../support/scenes.ts";
import { gone } from "../support/web-page.ts";
import { useWebPeople } from "../support/web-people.ts";

/* Files that are sent and shown in the web client. */

describeWithChromium("files in the web client", () => {
  const people = useWebPeople();

  /** A picture whose PNG has several kilobytes, so that its original and its thumbnails differ. */
  const picture = () =>
    sharp(randomBytes(900 * 600 * 3), { raw: { width: 900, height: 600, channels: 3 } })
      .png()
      .toBuffer();

  test("a picture that is chosen arrives as a picture, opens in the viewer, and is not readable after log-out", async () => {
    const ann = await people.person("Ann");
    const bob = await people.person("Bob");
    await sendPrivately(await ann.user.connect(), bob.user.id, "Hello Bob");
    await ann.web.openChat("Bob");
    await bob.web.openChat("Ann");

    const choosing = ann.web.page.waitForEvent("filechooser");
    await ann.web.button("Attach files").click();
    await (await choosing).setFiles({ name: "holiday.png", mimeType: "image/png", buffer: await picture() });
    await ann.web.button("Remove holiday.png").waitFor();
    await ann.web.send("Look");
    await gone(ann.web.button("Remove holiday.png"));

    const image = bob.web.message("Look").getByRole("img", { name: "holiday.png" });
    await image.waitFor();
    const element = (await image.elementHandle()) ?? undefined;
    const isLoaded = (shown: unknown) => {
      const { complete, naturalWidth, currentSrc } = shown as HTMLImageElement;
      return complete && naturalWidth === 640 && currentSrc.startsWith("http");
    };
    await bob.web.page.waitForFunction(isLoaded, element);

    await bob.web.message("Look").getByRole("button", { name: "Open holiday.png" }).click();
    const viewer = bob.web.dialog("holiday.png");
    const original = viewer.getByRole("img", { name: "holiday.png" });
    await original.waitFor();
    const url = (await original.getAttribute("src")) ?? "";
    const read = async () => (await fetch(new URL(url, people.url()))).status;
    expect(await read()).toBe(200);
    await bob.web.page.keyboard.press("Escape");
    await gone(viewer);
    await image.waitFor();

    await bob.web.openSettings();
    const loggedOut = bob.web.page.waitForResponse((response) => response.url().endsWith("/auth/logout"));
    await bob.web.button("Log out").click();
    await loggedOut;
    await bob.web.field("E-mail").waitFor();
    expect(await read()).toBe(404);
  });
});
