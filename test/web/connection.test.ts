import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { describeWithChromium } from "../support/prerequisites.ts";
import type { ServerProcess } from "../support/process.ts";
import { account, post, TestProcesses } from "../support/processes.ts";
import { sendPrivately } from "../support/scenes.ts";
import { useBrowser } from "../support/test-browser.ts";
import { until } from "../support/until.ts";
import { gone, WebPage } from "../support/web-page.ts";
import { useWebPeople } from "../support/web-people.ts";

/* Connections that are lost, slow or replaced, and what else may fail around the web client. */

describeWithChromium("the web client", () => {
  describe("while the server runs", () => {
    const people = useWebPeople();

    async function dialog(options = {}) {
      const bob = await people.messenger().person("Bob");
      const ann = await people.person("Ann", options);
      const device = await bob.connect();
      await sendPrivately(device, ann.user.id, "Hello Ann");
      await ann.web.openChat("Bob");
      await ann.web.message("Hello Ann").waitFor();
      return { ann: ann.web, annUser: ann.user, bob, device };
    }

    const textsInChat = async (annId: number, bobId: number) =>
      (
        await people.messenger().sql<{ content: string }>(
          `SELECT content FROM messages WHERE sender_id = $annId AND chat_id IN
             (SELECT chat_id FROM chat_members WHERE user_id = $bobId) ORDER BY seq`,
          { annId, bobId },
        )
      ).map(({ content }) => content);

    test("offline, everything is readable and writable, and is sent when online again", async () => {
      const { ann, device } = await dialog();
      await ann.page.context().setOffline(true);
      await ann.status(/^Offline…/).waitFor();
      await ann.send("written offline");
      await ann.mark("written offline", "Sending").waitFor();
      expect(await ann.message("Hello Ann").count()).toBe(1);
      await ann.chat("Bob").filter({ hasText: "written offline" }).waitFor();
      await ann.page.context().setOffline(false);
      await ann.mark("written offline", "Sent").waitFor();
      await gone(ann.status(/./));
      expect((await device.nextPush("privateMessage")).params.message).toBe("written offline");
    });

    test("a log-out with unsent messages asks first", async () => {
      const { ann } = await dialog();
      // Loads the settings, which happens by itself some time after the start.
      await ann.openSettings();
      await ann.openChat("Bob");
      await ann.page.context().setOffline(true);
      await ann.status(/^Offline…/).waitFor();
      await ann.send("never sent");
      await ann.openSettings();
      await ann.button("Log out").click();
      await ann.confirm("Cancel");
      await ann.button("Log out").click();
      await ann.confirm(/^Log out/);
      await ann.button("Log in").waitFor();
    });

    test("two tabs show the same, and send what both wrote offline once each", async () => {
      const { ann, annUser, bob } = await dialog();
      const second = await WebPage.open(ann.page.context(), people.url());
      await second.openChat("Bob");
      await ann.send("from the first");
      await second.message("from the first").waitFor();
      await ann.page.context().setOffline(true);
      await ann.status(/^Offline…/).waitFor();
      await second.status(/^Offline…/).waitFor();
      await ann.send("first, offline");
      await second.send("second, offline");
      await ann.page.context().setOffline(false);
      for (const tab of [ann, second]) {
        await tab.mark("first, offline", "Sent").waitFor();
        await tab.mark("second, offline", "Sent").waitFor();
      }
      expect((await textsInChat(annUser.id, bob.id)).sort()).toEqual([
        "first, offline",
        "from the first",
        "second, offline",
      ]);
    });

    test("where the browser forbids storage, one chats all the same, and is warned", async () => {
      const context = await people.browser.context();
      await context.addInitScript(() => {
        const forbid = () => {
          throw new DOMException("The operation is insecure.", "SecurityError");
        };
        for (const name of ["indexedDB", "localStorage"]) Object.defineProperty(window, name, { get: forbid });
      });
      const person = await people.messenger().person("Forbidden");
      const { web: other } = await people.person("Storer");
      const web = await WebPage.logIn(context, people.url(), person.email);
      await web.page.getByText("This browser does not let Messenger store anything.").waitFor();
      await web.findPerson("Storer");
      await web.send("without storage");
      await other.chat("Forbidden").filter({ hasText: "without storage" }).waitFor();
      await web.openSettings();
      await web.page.getByRole("radio", { name: "Dark" }).check();
    });

    test("with a slow server, a message is shown at once and marked as sending", async () => {
      const context = await people.browser.context();
      const delayMs = 2000;
      await context.route(/\/(auth|users|api)\b/, async (route) => {
        await new Promise((resolve) => setTimeout(resolve, delayMs));
        await route.continue();
      });
      await context.routeWebSocket(/./, (socket) => {
        const server = socket.connectToServer();
        server.onMessage((message) => setTimeout(() => socket.send(message), delayMs));
      });
      const bob = await people.messenger().person("Slowfriend");
      const ann = await people.messenger().person("Slowann");
      await sendPrivately(await bob.connect(), ann.id, "Hello");
      const web = await WebPage.open(context, people.url());
      await web.field("E-mail").fill(ann.email);
      await web.field("Password").fill("not the password");
      await web.button("Log in").click();
      expect(await web.button("Log in").getAttribute("aria-disabled")).toBe("true");
      await web.alert.waitFor();
      await web.logIn(ann.email);
      await web.chats.getByText("Loading your chats…").waitFor();
      await web.openChat("Slowfriend");
      await web.send("first");
      await web.mark("first", "Sending").waitFor();
      await web.send("second");
      await web.mark("second", "Sending").waitFor();
      await web.mark("first", "Sent").waitFor();
      await web.mark("second", "Sent").waitFor();
      expect(await web.log().getByRole("article").allTextContents()).toEqual([
        expect.stringContaining("Hello"),
        expect.stringContaining("first"),
        expect.stringContaining("second"),
      ]);
    });

    test("after an upgrade of the server, an old tab asks to reload", async () => {
      const { ann } = await dialog();
      const context = ann.page.context();
      await context.route("**/api/info", async (route) => {
        const response = await route.fetch();
        await route.fulfill({ json: { ...(await response.json()), version: "99.0.0" } });
      });
      await context.setOffline(true);
      await ann.status(/^Offline…/).waitFor();
      await context.setOffline(false);
      await ann.button("Reload").click();
      await ann.openChat("Bob");
      await gone(ann.button("Reload"));
    });

    test("a page whose stylesheet could not be loaded is shown with it at the next attempt", async () => {
      const { web } = await people.person("Stylist");
      const stylesheet = "**/avatar-editor-*.css";
      await web.page.route(stylesheet, (route) => route.abort());
      await web.link("Settings").click();
      await web.page.getByText("This page could not be loaded.").waitFor();
      await web.page.unroute(stylesheet);
      await web.page.goBack();
      await web.openSettings();
      const isStyled = () =>
        web.page.locator(".avatar-editor").evaluate((element) => getComputedStyle(element).display === "flex");
      await until(isStyled);
    });

    test("a chat that a link leads to is shown after the log-in", async () => {
      const { ann, annUser } = await dialog();
      const path = new URL(ann.page.url()).pathname;
      const web = await WebPage.open(await people.browser.context(), people.url(), path);
      await web.logIn(annUser.email);
      await web.log("Bob").waitFor();
    });

    test("drafts leave the device with the session, also when it is ended elsewhere, and come back with the account", async () => {
      const { ann, annUser } = await dialog();
      await ann.composer.fill("a secret draft");
      await people.messenger().http("DELETE", "/auth/sessions", { token: annUser.token });
      await ann.button("Log in").waitFor();
      expect(await ann.page.evaluate(() => Object.keys(localStorage).filter((key) => key.startsWith("draft")))).toEqual(
        [],
      );
      await ann.logIn(annUser.email);
      await ann.openChat("Bob");
      await ann.page.waitForFunction(() => document.querySelector("textarea")?.value === "a secret draft");
    });
  });

  describe("when the server is killed", () => {
    const processes = new TestProcesses();
    const browser = useBrowser();
    let server: ServerProcess;
    beforeAll(async () => {
      await processes.setUp();
      server = await processes.start();
    });
    afterAll(() => processes.tearDown());

    test("what was typed and sent meanwhile arrives once after the restart", async () => {
      const { port } = server;
      const url = `http://127.0.0.1:${port}`;
      await post(server, "/auth/register", account);
      await post(server, "/auth/register", { ...account, email: "bob@example.test", firstName: "Bob" });
      const ann = await WebPage.logIn(await browser.context(), url, account.email);
      const bob = await WebPage.logIn(await browser.context(), url, "bob@example.test");
      await ann.findPerson("Bob");
      await ann.send("before");
      await bob.openChat("Ann");
      await bob.message("before").waitFor();

      await ann.composer.fill("half a mess");
      const killed = server.stop("SIGKILL");
      await ann.composer.fill("during");
      await ann.button("Send").click();
      await killed;
      await ann.send("after the kill");
      await ann.composer.fill("still typing");
      await ann.status(/^(Offline|Connecting)…/).waitFor();
      await ann.mark("after the kill", "Sending").waitFor();

      server = await processes.start({ PORT: String(port) });
      await ann.page.reload();
      await ann.log("Bob").waitFor();
      expect(await ann.composer.inputValue()).toBe("still typing");
      await ann.mark("after the kill", "Sent").or(ann.mark("after the kill", "Read")).waitFor();
      await bob.message("after the kill").waitFor();
      const texts = await bob.log().getByRole("article").allTextContents();
      expect(texts.map((text) => text.replace(/\d\d:\d\d.*/, ""))).toEqual(["before", "during", "after the kill"]);
    }, 120_000);
  });
});
