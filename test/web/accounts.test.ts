import { beforeEach, expect, test } from "@jest/globals";
import { password, useMessenger } from "../support/messenger.ts";
import { describeWithChromium } from "../support/prerequisites.ts";
import { useBrowser } from "../support/test-browser.ts";
import { gone, WebPage } from "../support/web-page.ts";

/* Creating an account, logging in and out, and the settings, in the browser. */

describeWithChromium("an account in the web client", () => {
  const messenger = useMessenger();
  const browser = useBrowser();
  let url = "";
  beforeEach(() => {
    url = `http://127.0.0.1:${messenger().port}`;
  });
  const newPage = async (path = "/") => WebPage.open(await browser.context(), url, path);
  const loggedIn = async (firstName?: string) => {
    const person = await messenger().person(firstName);
    return { person, web: await WebPage.logIn(await browser.context(), url, person.email) };
  };

  test("a new person creates an account, and logs in again after logging out", async () => {
    const web = await newPage();
    await web.link("Create a new account").click();
    await web.field("First name").fill("Ann");
    await web.field("Last name").fill("Example");
    await web.field("E-mail").fill("new.ann@example.test");
    await web.field("Password").fill(password);
    await web.button("Create account").click();
    await web.chats.waitFor();
    await web.openSettings();
    await web.button("Log out").click();
    await web.logIn("new.ann@example.test");
    await web.openSettings();
    expect(await web.field("Last name").inputValue()).toBe("Example");
  });

  test("a form without the needed values says so beside the fields, in plain words", async () => {
    const web = await newPage("/register");
    await web.button("Create account").click();
    expect(await web.alert.allTextContents()).toEqual([
      "Enter your first name.",
      "Enter an e-mail address, such as ann@example.org.",
      "Use at least 8 characters.",
    ]);
    await web.link("Log in instead").click();
    await web.button("Log in").click();
    expect(await web.alert.allTextContents()).toEqual(["Enter your e-mail address.", "Enter your password."]);
  });

  test("a wrong password, a taken address and a common password are alerts without codes", async () => {
    const { email } = await messenger().person();
    const web = await newPage();
    await web.field("E-mail").fill(email);
    await web.field("Password").fill("not the password");
    await web.button("Log in").click();
    await web.alert.filter({ hasText: "The e-mail address or the password is wrong." }).waitFor();

    await web.link("Create a new account").click();
    await web.field("First name").fill("Ann");
    await web.field("E-mail").fill(email);
    await web.field("Password").fill("password123");
    await web.button("Create account").click();
    await web.alert.waitFor();
    expect(await web.alert.textContent()).not.toMatch(/[A-Z]{3,}|_|"/);
    await web.field("Password").fill(password);
    await web.button("Create account").click();
    await web.alert.filter({ hasText: "There already is an account with this e-mail address." }).waitFor();
  });

  test("a form that is sent twice makes one account", async () => {
    const web = await newPage("/register");
    const requests: string[] = [];
    web.page.on("request", (request) => requests.push(`${request.method()} ${new URL(request.url()).pathname}`));
    await web.field("First name").fill("Twice");
    await web.field("E-mail").fill("twice@example.test");
    await web.field("Password").fill(password);
    await web.button("Create account").dblclick();
    await web.chats.waitFor();
    expect(requests.filter((request) => request === "POST /auth/register")).toHaveLength(1);
  });

  test("the log-in survives a reload", async () => {
    const { web } = await loggedIn();
    await web.page.reload();
    await web.chats.waitFor();
  });

  test("the profile is changed, a new e-mail address with the password only", async () => {
    const { web, person } = await loggedIn("Bob");
    await web.openSettings();
    const profile = web.page.getByRole("region", { name: "Profile" });
    await profile.getByLabel("First name").fill("Robert");
    await profile.getByLabel("E-mail").fill("robert@example.test");
    await profile.getByLabel("Password").fill("not the password");
    await profile.getByRole("button", { name: "Save" }).click();
    await web.alert.filter({ hasText: "The password is wrong." }).waitFor();
    await profile.getByLabel("Password").fill(password);
    await profile.getByRole("button", { name: "Save" }).click();
    await web.alert.filter({ hasText: "Your profile is saved." }).waitFor();
    const { body } = await messenger().http("GET", "/users/me", { token: person.token });
    expect(body).toMatchObject({ firstName: "Robert", email: "robert@example.test" });
  });

  test("a new password logs out the other devices, which say why", async () => {
    const { web, person } = await loggedIn();
    const other = await WebPage.logIn(await browser.context(), url, person.email);
    await web.openSettings();
    const section = web.page.getByRole("region", { name: "Password" });
    await section.getByLabel("Old password").fill("not the password");
    await section.getByLabel("New password").fill("another horse battery");
    await section.getByRole("button", { name: "Change password" }).click();
    await web.alert.filter({ hasText: "The password is wrong." }).waitFor();
    await section.getByLabel("Old password").fill(password);
    await section.getByRole("button", { name: "Change password" }).click();
    await web.alert.filter({ hasText: "Your password is changed." }).waitFor();
    await other.page.getByText("Your session has ended. Log in again.").waitFor();
    await other.logIn(person.email, "another horse battery");
  });

  test("another device is listed and logged out", async () => {
    const { web, person } = await loggedIn();
    const other = await WebPage.logIn(await browser.context(), url, person.email);
    await web.openSettings();
    const devices = web.page.getByRole("region", { name: "Devices" });
    await devices.getByText("This device").waitFor();
    await devices.getByRole("button", { name: "Log out all other devices" }).click();
    await gone(devices.getByRole("button", { name: /^Log out/ }).first());
    await other.button("Log in").waitFor();
  });

  test("a log-out in one tab logs out the others, and the store is empty", async () => {
    const { web } = await loggedIn();
    const second = await WebPage.open(web.page.context(), url);
    await second.chats.waitFor();
    await web.openSettings();
    await web.button("Log out").click();
    await web.button("Log in").waitFor();
    await second.button("Log in").waitFor();
    const names = await web.page.evaluate(async () => {
      const [{ name = "" } = {}] = await indexedDB.databases();
      const database = await new Promise<IDBDatabase>((resolve) => {
        const request = indexedDB.open(name);
        request.onsuccess = () => resolve(request.result);
      });
      return new Promise((resolve) => {
        const request = database.transaction("entries").objectStore("entries").getAllKeys();
        request.onsuccess = () => resolve(request.result);
      });
    });
    expect(names).toEqual([]);
  });

  test("the theme is kept on this device", async () => {
    const { web } = await loggedIn();
    await web.openSettings();
    const background = () => web.page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    await web.page.getByRole("radio", { name: "Light" }).check();
    const light = await background();
    await web.page.getByRole("radio", { name: "Dark" }).check();
    const dark = await background();
    expect(dark).not.toBe(light);
    await web.page.reload();
    await web.page.getByRole("heading", { name: "Settings" }).waitFor();
    expect(await background()).toBe(dark);
  });

  test("an account is deleted with its password only", async () => {
    const { web, person } = await loggedIn();
    await web.openSettings();
    await web.button("Delete account").click();
    const dialog = web.dialog("Delete account");
    await dialog.getByLabel("Password").fill("not the password");
    await dialog.getByRole("button", { name: "Delete account for ever" }).click();
    await dialog.getByRole("alert").filter({ hasText: "The password is wrong." }).waitFor();
    await dialog.getByLabel("Password").fill(password);
    await dialog.getByRole("button", { name: "Delete account for ever" }).click();
    await web.page.getByText("This account was deleted.").waitFor();
    await web.field("E-mail").fill(person.email);
    await web.field("Password").fill(password);
    await web.button("Log in").click();
    await web.alert.waitFor();
  });
});
