import { expect, test } from "@jest/globals";
import type { Page } from "playwright-core";
import { describeWithChromium } from "../support/prerequisites.ts";
import { createGroup, sendToGroup } from "../support/scenes.ts";
import { useWebPeople } from "../support/web-people.ts";

/* Texts and names that try to run as code, lead elsewhere or break the layout. */

const markup = [
  "<script>alert(1)</script>",
  "<img src=x onerror=alert(1)>",
  '"><svg/onload=alert(1)>',
  "<iframe src=javascript:alert(1)>",
  "{{constructor.constructor('alert(1)')()}}",
  "<style>*{display:none}</style>",
  "<a href='javascript:alert(1)'>x</a>",
  "<math><mtext><img src onerror=alert(1)>",
  "<base href=//evil.example/>",
  "`<img src=x onerror=alert(1)>`",
];

const links = [
  "[a](javascript:alert(1))",
  "[b](JaVaScRiPt:alert(1))",
  "[c](data:text/html,<script>alert(1)</script>)",
  "[d](vbscript:alert(1))",
  "[e]( javascript:alert(1))",
  "[f](&#106;avascript:alert(1))",
  "[g](java\nscript:alert(1))",
  "<javascript:alert(1)>",
  "![h](javascript:alert(1))",
  "[i]: javascript:alert(1)\n[i]",
  "[j](//evil.example/)",
  "[k](/settings)",
  "[l](file:///etc/passwd)",
  "[m](blob:https://example.org/x)",
  "![n](https://example.org/tracker.png)",
  "[o](https://example.org/a?b=c#d)",
  "[p](mailto:ann@example.org)",
  "https://example.org/<script>alert(1)</script>",
  "www.example.org",
];

describeWithChromium("hostile texts", () => {
  const people = useWebPeople();

  /** What a page did that it should not have done. */
  function watch(page: Page): string[] {
    const faults: string[] = [];
    page.on("dialog", (dialog) => {
      faults.push(`dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    page.on("request", (request) => {
      if (!/^(http|ws):\/\/127\.0\.0\.1:/.test(request.url())) faults.push(`request: ${request.url()}`);
    });
    return faults;
  }

  test("markup in names and texts is shown as text, and nothing of it runs", async () => {
    const { web, user } = await people.person("Reader");
    const faults = watch(web.page);
    for (const name of markup) {
      const sender = await people.messenger().person(name.slice(0, 64));
      const device = await sender.connect();
      const groupId = await createGroup(device, [user], name.slice(0, 64));
      await sendToGroup(device, groupId, name);
      await web.openChat(name.slice(0, 64));
      // A code span loses its backticks.
      const shown = name.replaceAll("`", "");
      // Above it are the notifications with the names.
      const message = web.message(shown).last();
      await message.waitFor();
      expect(await message.locator("script, img, iframe, style, base, svg:not(.icon), math").count()).toBe(0);
      await web.button("Group info").click();
      await web
        .dialog("Group info")
        .getByRole("listitem")
        .filter({ hasText: name.slice(0, 64) })
        .first()
        .waitFor();
      await web.page.keyboard.press("Escape");
    }
    expect(faults).toEqual([]);
    expect(await web.page.evaluate(() => document.querySelectorAll("script").length)).toBe(1);
  });

  test("links lead to http, https and mailto only, and images are links", async () => {
    const { web, user } = await people.person("Clicker");
    const faults = watch(web.page);
    const device = await (await people.messenger().person("Linker")).connect();
    const groupId = await createGroup(device, [user], "Links");
    for (const text of links) await sendToGroup(device, groupId, text);
    await web.openChat("Links");
    await web.message("www.example.org").waitFor();
    const found = await web
      .log()
      .locator("a")
      .evaluateAll((all) =>
        all.map((link) => ({ href: link.getAttribute("href"), rel: link.getAttribute("rel"), text: link.textContent })),
      );
    expect(found.map(({ href }) => href)).toEqual([
      "https://example.org/tracker.png",
      "https://example.org/a?b=c#d",
      "mailto:ann@example.org",
      expect.stringMatching(/^https:\/\/example\.org\//),
      "http://www.example.org",
    ]);
    expect(new Set(found.map(({ rel }) => rel))).toEqual(new Set(["noopener noreferrer"]));
    expect(await web.log().locator("img").count()).toBe(0);
    expect(faults).toEqual([]);
  });

  test("right-to-left, endless and many-emoji texts stay inside their bubbles and rows", async () => {
    const { web, user } = await people.person("Viewer");
    const hebrew = await people.messenger().person("שלום עולם");
    const device = await hebrew.connect();
    const groupId = await createGroup(device, [user], "م".repeat(64));
    const texts = [
      "שלום, זה טקסט מימין לשמאל (with English) 123",
      "x".repeat(4096),
      "😀".repeat(40),
      "👩‍👩‍👧‍👦".repeat(40),
      "Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢L̠ͨͧͩ͘G̴̻͈͍͔̹̑͗̎̅͛́Ǫ̵̹̻̝̳͂̌̌͘!",
      "# heading\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n1. one\n2. two\n\n- [ ] task",
      `> ${"> ".repeat(50)}deep`,
    ];
    for (const text of texts) await sendToGroup(device, groupId, text);
    await web.openChat("م".repeat(64));
    await web.message("deep").waitFor();
    const outside = await web.page.evaluate(() => {
      const log = document.querySelector("[role=log]");
      const limit = log?.getBoundingClientRect();
      return [...document.querySelectorAll("[role=log] article *")]
        .filter((element) => {
          const { left, right, width } = element.getBoundingClientRect();
          return width > 0 && limit && (left < limit.left || right > limit.right);
        })
        .map(({ tagName, className }) => `${tagName} ${String(className)}`);
    });
    expect(outside).toEqual([]);
    expect(await web.page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true);
    const direction = await web
      .message("with English")
      .locator("p")
      .filter({ hasText: "with English" })
      .evaluate((paragraph) => getComputedStyle(paragraph).direction);
    expect(direction).toBe("rtl");
  });

  test("a text with too many characters is not sent, and says how many are too many", async () => {
    const { web } = await people.person("Author");
    await people.messenger().person("Addressee");
    await web.findPerson("Addressee");
    await web.composer.fill("x".repeat(4106));
    await web.alert.filter({ hasText: "10 too many" }).waitFor();
    await web.composer.press("Enter");
    expect(await web.log().getByRole("article").count()).toBe(0);
    await web.composer.fill("x".repeat(4096));
    await web.composer.press("Enter");
    await web.mark("xxx", "Sent").waitFor();
  });
});
