import { expect, test } from "@jest/globals";
import type { Locator } from "playwright-core";
import sharp from "sharp";
import { describeWithChromium } from "../support/prerequisites.ts";
import { createGroup, sendPrivately, sendToGroup } from "../support/scenes.ts";
import { gone, type WebPage } from "../support/web-page.ts";
import { useWebPeople } from "../support/web-people.ts";

/* Pictures of people and groups in the web client. They are decoration, so they have no roles: classes find them. */

describeWithChromium("avatars in the web client", () => {
  const people = useWebPeople();

  /** A picture twice as wide as high: red on the left, blue on the right. */
  const redAndBlue = async () => {
    const blue = { create: { width: 600, height: 600, channels: 3, background: "#0000ff" } } as const;
    const buffer = await sharp({ create: { width: 1200, height: 600, channels: 3, background: "#ff0000" } })
      .composite([{ input: await sharp(blue).png().toBuffer(), left: 600, top: 0 }])
      .png()
      .toBuffer();
    return { name: "flag.png", mimeType: "image/png", buffer };
  };

  const crop = (web: WebPage) => web.dialog("Crop picture");
  const stage = (web: WebPage) => crop(web).getByRole("application", { name: "Part of the picture" });

  async function choose(web: WebPage, file: { name: string; mimeType: string; buffer: Buffer }): Promise<void> {
    const choosing = web.page.waitForEvent("filechooser");
    await web.button(/^(Choose|Change) picture$/).click();
    await (await choosing).setFiles(file);
  }

  /** Uses the middle of a picture. */
  async function setPicture(web: WebPage): Promise<void> {
    await choose(web, await redAndBlue());
    await crop(web).getByRole("button", { name: "Use picture" }).click();
    await gone(crop(web));
  }

  /** Waits until the avatar in an element shows a picture, and returns the picture's address. */
  async function pictureIn(element: Locator): Promise<string> {
    const image = element.locator(".avatar img.loaded").first();
    await image.waitFor();
    return image.evaluate((shown) => (shown as HTMLImageElement).currentSrc);
  }

  const withoutPicture = (element: Locator) => gone(element.locator(".avatar img").first());

  /** The colours of the left and right edges. */
  async function edgesOf(url: string): Promise<string[]> {
    const square = sharp(Buffer.from(await (await fetch(url)).arrayBuffer()));
    const { data, info } = await square.removeAlpha().raw().toBuffer({ resolveWithObject: true });
    const middle = (info.height / 2) * info.width;
    return [middle + 2, middle + info.width - 3].map((pixel) => colourOf([...data.subarray(3 * pixel, 3 * pixel + 3)]));
  }

  /** The colours of the left and right edges of what the dialog shows. */
  async function shownEdges(web: WebPage): Promise<string[]> {
    const pixels = await stage(web)
      .locator("canvas")
      .evaluate((canvas) => {
        const context = (canvas as HTMLCanvasElement).getContext("2d");
        return [2, 509].map((x) => [...(context?.getImageData(x, 256, 1, 1).data ?? [])]);
      });
    return pixels.map(colourOf);
  }

  const colourOf = ([red = 0, green = 0, blue = 0]: number[]): string => {
    if (green > 60) return "other";
    return red > blue ? "red" : "blue";
  };

  test("a person's picture is cropped with the keyboard, and others see it without a reload until it is removed", async () => {
    const ann = await people.person("Ann");
    const bob = await people.person("Bob");
    await sendPrivately(await ann.user.connect(), bob.user.id, "Hello Bob");
    await bob.web.openChat("Ann");
    const header = bob.web.page.locator(".chat-header");
    const before = await header.locator(".avatar").boundingBox();
    expect(await bob.web.chat("Ann").locator(".avatar").textContent()).toBe("A");

    await ann.web.openSettings();
    await choose(ann.web, await redAndBlue());
    await stage(ann.web).waitFor();
    expect(await shownEdges(ann.web)).toEqual(["red", "blue"]);
    await ann.web.page.waitForFunction(() => document.activeElement?.getAttribute("role") === "application");
    // As far as the picture goes.
    for (let presses = 0; presses < 12; presses++) await ann.web.page.keyboard.press("ArrowRight");
    expect(await shownEdges(ann.web)).toEqual(["red", "red"]);
    await ann.web.page.keyboard.press("Tab");
    await ann.web.page.keyboard.press("Tab");
    await ann.web.page.keyboard.press("Tab");
    await ann.web.page.keyboard.press("Enter");
    await gone(crop(ann.web));
    await ann.web.page.waitForFunction(() => document.activeElement?.textContent === "Change picture");

    const url = await pictureIn(ann.web.page.getByRole("region", { name: "Profile" }));
    expect(await edgesOf(url)).toEqual(["red", "red"]);
    expect(await pictureIn(bob.web.chat("Ann"))).toBe(url);
    expect(await pictureIn(header)).toBe(url);
    expect(await header.locator(".avatar").boundingBox()).toEqual(before);

    await ann.web.button("Remove picture").click();
    await withoutPicture(ann.web.page.getByRole("region", { name: "Profile" }));
    await ann.web.page.waitForFunction(() => document.activeElement?.textContent === "Choose picture");
    await withoutPicture(bob.web.chat("Ann"));
    await withoutPicture(header);
    expect(await header.locator(".avatar").textContent()).toBe("A");
  });

  test("the part is chosen by dragging and zooming, and nothing is changed without a confirmation", async () => {
    const { web } = await people.person("Dora");
    await web.openSettings();
    await choose(web, await redAndBlue());
    await stage(web).waitFor();
    const box = (await stage(web).boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 };
    const drag = async (from: number, to: number) => {
      await web.page.mouse.move(box.x + from * box.width, box.y + box.height / 2);
      await web.page.mouse.down();
      await web.page.mouse.move(box.x + to * box.width, box.y + box.height / 2, { steps: 4 });
      await web.page.mouse.up();
    };
    await drag(0.9, 0.3);
    expect(await shownEdges(web)).toEqual(["blue", "blue"]);
    await drag(0.3, 0.8);
    expect(await shownEdges(web)).toEqual(["red", "blue"]);
    const zoom = crop(web).getByRole("slider", { name: "Zoom" });
    await zoom.fill("2");
    await drag(0.2, 0.8);
    expect(await shownEdges(web)).toEqual(["red", "red"]);
    await web.page.mouse.wheel(0, 500);
    expect(Number(await zoom.inputValue())).toBeLessThan(2);
    await stage(web).press("+");
    await stage(web).press("+");
    expect(Number(await zoom.inputValue())).toBeGreaterThan(2);
    await crop(web).getByRole("button", { name: "Cancel" }).click();
    await gone(crop(web));
    await web.button("Choose picture").waitFor();
  });

  test("a group's picture is set by its owner, and members see it and those of senders", async () => {
    const olga = await people.person("Olga");
    const mike = await people.person("Mike");
    const device = await olga.user.connect();
    const groupId = await createGroup(device, [mike.user], "Painters");
    await sendToGroup(device, groupId, "Welcome");
    await mike.web.openChat("Painters");
    await olga.web.openChat("Painters");
    await olga.web.button("Group info").click();
    await setPicture(olga.web);
    const url = await pictureIn(olga.web.dialog("Group info"));
    expect(await pictureIn(mike.web.chat("Painters"))).toBe(url);
    expect(await pictureIn(mike.web.page.locator(".chat-header"))).toBe(url);
    await mike.web.log().getByText("Olga changed the picture of the group").waitFor();
    await mike.web.button("Group info").click();
    const info = mike.web.dialog("Group info");
    expect(await pictureIn(info)).toBe(url);
    expect(await info.getByRole("button", { name: /picture/ }).count()).toBe(0);
    const row = info.getByRole("listitem").filter({ hasText: "Olga" });
    expect(await row.locator(".avatar").textContent()).toBe("O");

    await olga.web.page.keyboard.press("Escape");
    await olga.web.openSettings();
    await setPicture(olga.web);
    const own = await pictureIn(row);
    expect(await pictureIn(mike.web.message("Welcome"))).toBe(own);
    // From the start, too.
    await mike.web.page.reload();
    expect(await pictureIn(mike.web.message("Welcome"))).toBe(own);

    await olga.web.openChat("Painters");
    await olga.web.button("Group info").click();
    await olga.web.button("Remove picture").click();
    await withoutPicture(mike.web.chat("Painters"));
  });

  test("a file that is no picture, and one that is too large, are rejected in plain words", async () => {
    const { web } = await people.person("Emil");
    await web.openSettings();
    await choose(web, { name: "a.png", mimeType: "image/png", buffer: Buffer.from("no picture") });
    await web.alert.filter({ hasText: "This file is not a picture that can be shown." }).waitFor();
    await choose(web, { name: "b.png", mimeType: "image/png", buffer: Buffer.alloc(20 * 1024 * 1024 + 1) });
    await web.alert.filter({ hasText: "This picture is too large: it can have at most 20 MiB." }).waitFor();
    await choose(web, await redAndBlue());
    await stage(web).waitFor();
    expect(await web.alert.count()).toBe(0);
  });

  test("a server that cannot convert pictures says so", async () => {
    const { web } = await people.person("Frida");
    await web.page.route("**/users/me/avatar", (route) =>
      route.fulfill({
        status: 501,
        contentType: "application/problem+json",
        body: JSON.stringify({ code: "NOT_CONFIGURED", detail: "sharp is not installed" }),
      }),
    );
    await web.openSettings();
    await choose(web, await redAndBlue());
    await crop(web).getByRole("button", { name: "Use picture" }).click();
    await crop(web).getByRole("alert").filter({ hasText: "This server cannot convert pictures." }).waitFor();
    await web.page.route("**/api/info", async (route) => {
      const info = (await (await route.fetch()).json()) as { features: string[] };
      await route.fulfill({ json: { ...info, features: info.features.filter((name) => name !== "avatars") } });
    });
    await web.page.reload();
    await web.page.getByText("This server cannot convert pictures, so initials are shown.").waitFor();
    expect(await web.button(/picture/).count()).toBe(0);
  });

  test("initials stay where a picture cannot be loaded", async () => {
    const gerd = await people.person("Gerd");
    const hans = await people.person("Hans");
    await sendPrivately(await gerd.user.connect(), hans.user.id, "Hello");
    await hans.web.chat("Gerd").waitFor();
    const failed = hans.web.page.waitForEvent("requestfailed", (request) => request.url().includes("/avatars/"));
    await hans.web.page.route("**/avatars/*", (route) => route.abort());
    await gerd.web.openSettings();
    await setPicture(gerd.web);
    await failed;
    const avatar = hans.web.chat("Gerd").locator(".avatar");
    expect(await avatar.textContent()).toBe("G");
    const { opacity } = await avatar.locator("img").evaluate((image) => ({ opacity: getComputedStyle(image).opacity }));
    expect(opacity).toBe("0");
  });
});
