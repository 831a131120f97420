import { readFile } from "node:fs/promises";
import { expect, test } from "@jest/globals";
import { noisyPicture } from "../support/pictures.ts";
import { describeWithChromium } from "../support/prerequisites.ts";
import { sendPrivately } from "../support/scenes.ts";
import { gone, type WebPage } from "../support/web-page.ts";
import { useWebPeople } from "../support/web-people.ts";

/* Files that are sent and shown in the web client. */

describeWithChromium("files in the web client", () => {
  const people = useWebPeople();

  /** Ann and Bob, who both have their dialog open. */
  async function dialog() {
    const [ann, bob] = [await people.person("Ann"), await people.person("Bob")];
    await sendPrivately(await ann.user.connect(), bob.user.id, "Hello Bob");
    await ann.web.openChat("Bob");
    await bob.web.openChat("Ann");
    return { ann: ann.web, bob: bob.web };
  }

  test("a picture that is chosen arrives as a picture, opens in the viewer, and is not readable after log-out", async () => {
    const { ann, bob } = await dialog();
    const choosing = ann.page.waitForEvent("filechooser");
    await ann.button("Attach files").click();
    await (await choosing).setFiles({ name: "holiday.png", mimeType: "image/png", buffer: await noisyPicture() });
    await ann.button("Remove holiday.png").waitFor();
    await ann.send("Look");
    await gone(ann.button("Remove holiday.png"));

    const image = bob.message("Look").getByRole("img", { name: "holiday.png" });
    await image.waitFor();
    const element = (await image.elementHandle()) ?? undefined;
    const isLoaded = (shown: unknown) => {
      const { complete, naturalWidth, currentSrc } = shown as HTMLImageElement;
      return complete && naturalWidth === 640 && currentSrc.startsWith("http");
    };
    await bob.page.waitForFunction(isLoaded, element);

    await bob.message("Look").getByRole("button", { name: "Open holiday.png" }).click();
    const viewer = bob.dialog("holiday.png");
    const original = viewer.getByRole("img", { name: "holiday.png" });
    await original.waitFor();
    const url = (await original.getAttribute("src")) ?? "";
    const read = async () => (await fetch(new URL(url, people.url()))).status;
    expect(await read()).toBe(200);
    await bob.page.keyboard.press("Escape");
    await gone(viewer);
    await image.waitFor();

    await bob.openSettings();
    const loggedOut = bob.page.waitForResponse((response) => response.url().endsWith("/auth/logout"));
    await bob.button("Log out").click();
    await loggedOut;
    await bob.field("E-mail").waitFor();
    expect(await read()).toBe(404);
  });

  /** Drags files over the chat and drops them. */
  const drop = (web: WebPage, files: readonly { name: string; text: string }[]) =>
    web.log().evaluate((log, dropped) => {
      const dataTransfer = new DataTransfer();
      for (const { name, text } of dropped) dataTransfer.items.add(new File([text], name));
      for (const type of ["dragenter", "dragover", "drop"]) {
        const isAccepted = !log.dispatchEvent(new DragEvent(type, { dataTransfer, bubbles: true, cancelable: true }));
        // A browser drops only what was accepted while it was dragged over.
        if (type === "dragover" && !isAccepted) return;
      }
    }, files);

  test("two files that are dropped onto the chat are uploaded with progress, and saved under their names", async () => {
    const { ann, bob } = await dialog();
    const files = ["Bericht – März (1).txt", "b.html"].map((name) => ({ name, text: name.repeat(20_000) }));
    await drop(ann, files);
    for (const { name } of files) await ann.button(`Remove ${name}`).waitFor();
    const network = await ann.page.context().newCDPSession(ann.page);
    const conditions = { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: 100_000 };
    await network.send("Network.emulateNetworkConditions", conditions);
    await ann.send("Two files");
    for (const { name } of files) {
      const progress = await ann
        .message("Two files")
        .getByRole("progressbar", { name: `Upload of ${name}` })
        .elementHandle();
      const isHalfway = (shown: unknown) => {
        const { value, max } = shown as HTMLProgressElement;
        return value > 0 && value < max;
      };
      await ann.page.waitForFunction(isHalfway, progress ?? undefined);
    }
    for (const { name, text } of files) {
      const downloading = bob.page.waitForEvent("download");
      await bob
        .message("Two files")
        .getByRole("button", { name: `Save ${name}` })
        .click();
      const download = await downloading;
      expect(download.suggestedFilename()).toBe(name);
      expect(await readFile(await download.path(), "utf8")).toBe(text);
    }
    await gone(ann.message("Two files").getByRole("progressbar"));
  });

  test("a pasted picture keeps its place while it is loaded, and the viewer is used by the keyboard", async () => {
    const { ann, bob } = await dialog();
    await ann.page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
    const copy = async (base64: string) => {
      const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
      await navigator.clipboard.write([new ClipboardItem({ "image/png": new Blob([bytes], { type: "image/png" }) })]);
    };
    await ann.page.evaluate(copy, (await noisyPicture()).toString("base64"));
    await ann.composer.press("Control+V");
    await ann.button("Remove image.png").waitFor();

    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    await bob.page.route(/size=640/, async (route) => {
      await held;
      await route.continue();
    });
    await ann.send("Pasted");
    const image = bob.message("Pasted").getByRole("img", { name: "image.png" });
    await image.waitFor();
    const before = await image.boundingBox();
    expect(before?.height).toBeCloseTo((320 * 600) / 900, 0);
    release();
    const isLoaded = (shown: unknown) => (shown as HTMLImageElement).naturalWidth === 640;
    await bob.page.waitForFunction(isLoaded, (await image.elementHandle()) ?? undefined);
    expect(await image.boundingBox()).toEqual(before);

    const opener = bob.message("Pasted").getByRole("button", { name: "Open image.png" });
    await opener.focus();
    await bob.page.keyboard.press("Enter");
    const viewer = bob.dialog("image.png");
    const original = viewer.getByRole("img", { name: "image.png" });
    await original.waitFor();
    await bob.page.keyboard.press("+");
    await viewer.getByRole("button", { name: "Zoom out", disabled: false }).waitFor();
    await bob.page.keyboard.press("Escape");
    await gone(viewer);
    expect(await opener.evaluate((button) => button === document.activeElement)).toBe(true);
  });
});
