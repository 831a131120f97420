import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { expect, test } from "@jest/globals";
import type { AxeResults } from "axe-core";
import type { Locator } from "playwright-core";
import { admin } from "../support/admin.ts";
import { registerSecret } from "../support/leak-scan.ts";
import { password } from "../support/messenger.ts";
import { describeWithChromium } from "../support/prerequisites.ts";
import { createGroup } from "../support/scenes.ts";
import { gone, WebPage } from "../support/web-page.ts";
import { useWebPeople } from "../support/web-people.ts";

/* The administration of the server, in the browser. */

const axeSource = readFileSync(createRequire(__filename).resolve("axe-core/axe.min.js"), "utf8");

/** The row of somebody or something in a list. */
const row = (web: WebPage, list: string, text: string): Locator =>
  web.page.getByRole("list", { name: list }).getByRole("listitem").filter({ hasText: text });

const section = (web: WebPage, name: string): Locator =>
  web.page.getByRole("navigation", { name: "Administration" }).getByRole("link", { name, exact: true });

/** Chooses from the actions of a row. */
async function act(web: WebPage, name: string, action: string): Promise<void> {
  await web.button(`Actions for ${name}`).click();
  await web.page.getByRole("menuitem", { name: action, exact: true }).click();
}

/** The path behind a link that is shown once. */
async function shownLink(web: WebPage): Promise<string> {
  const { pathname, hash } = new URL(await web.field("Link").inputValue());
  registerSecret(hash.slice(1), "text");
  await web.button("Done").click();
  return pathname + hash;
}

describeWithChromium("the administration", () => {
  const { messenger, browser, url, device } = useWebPeople();
  const open = async (path: string) => WebPage.open(await browser.context(), url(), path);

  test("an administrator, created with the set-up link, manages an account whose open page follows", async () => {
    const { hash } = new URL((await messenger().administration.setupLink.make()).url);
    const web = await open(`/setup${hash}`);
    await web.field("First name").fill("Ada");
    await web.field("E-mail").fill("ada@example.test");
    await web.field("Password").fill(password);
    await web.button("Create account").click();
    await web.openSettings();
    await web.link("Administration").click();
    await row(web, "Accounts", "Ada").getByText("Administrator").waitFor();

    await web.button("Create account").click();
    const dialog = web.dialog("Create account");
    await dialog.getByLabel("First name").fill("Mia");
    await dialog.getByLabel("E-mail").fill("ada@example.test");
    await dialog.getByRole("button", { name: "Create account" }).click();
    await web.alert.filter({ hasText: "There already is an account" }).waitFor();
    await dialog.getByLabel("E-mail").fill("mia@example.test");
    await dialog.getByRole("button", { name: "Create account" }).click();
    const member = await open(await shownLink(web));
    await member.field("New password").fill(password);
    await member.button("Set password").click();
    await member.logIn("mia@example.test");

    await act(web, "Mia", "Suspend account");
    await web.confirm("Suspend account");
    await row(web, "Accounts", "Mia").getByText("Suspended").waitFor();
    await member.page.getByText("Your session has ended. Log in again.").waitFor();
    await member.field("E-mail").fill("mia@example.test");
    await member.field("Password").fill(password);
    await member.button("Log in").click();
    await member.alert.filter({ hasText: "This account is suspended." }).waitFor();
    await act(web, "Mia", "Resume account");
    await web.confirm("Resume account");
    await gone(row(web, "Accounts", "Mia").getByText("Suspended"));
    await member.button("Log in").click();
    await member.chats.waitFor();

    await act(web, "Mia", "Reset password");
    await web.confirm("Reset password");
    const link = await shownLink(web);
    await member.page.getByText("Your session has ended. Log in again.").waitFor();
    await member.page.goto(url() + link);
    await member.field("New password").fill("another battery staple");
    await member.button("Set password").click();
    await member.page.getByText("Your password is set. Log in with it.").waitFor();

    await act(web, "Mia", "Change name or e-mail");
    const changing = web.dialog("Change account");
    await changing.getByLabel("First name").fill("Maria");
    await changing.getByLabel("E-mail").fill("nonsense");
    await changing.getByRole("button", { name: "Save" }).click();
    await changing.getByText("Enter an e-mail address", { exact: false }).waitFor();
    await changing.getByLabel("E-mail").fill("maria@example.test");
    await changing.getByRole("button", { name: "Save" }).click();
    await row(web, "Accounts", "Maria").getByText("maria@example.test").waitFor();
    await act(web, "Maria", "Change name or e-mail");
    await changing.getByLabel("First name").fill("Mia");
    await changing.getByRole("button", { name: "Save" }).click();
    await row(web, "Accounts", "Mia").waitFor();

    await act(web, "Ada", "Remove administrator");
    await web.confirm("Remove administrator");
    await web.alert.filter({ hasText: "This is the last administrator." }).waitFor();
    await act(web, "Mia", "Delete account and messages");
    await web.confirm("Delete account and messages");
    await gone(row(web, "Accounts", "Mia"));
    await web.page.locator("ul:focus").waitFor();

    await section(web, "Audit log").click();
    await row(web, "Audit log", "Deleted the messages of an account").getByText("Ada").waitFor();
    await web.field("Action").selectOption("Suspended an account");
    await gone(row(web, "Audit log", "Deleted an account"));
    expect(await row(web, "Audit log", "").allInnerTexts()).toEqual([expect.stringMatching(/^Suspended an account/)]);
  });

  test("accounts are found by name, role and status, and shown in pages", async () => {
    const web = await device(await admin(messenger(), "Root"));
    await messenger().sql(
      `INSERT INTO users (email, email_key, password_hash, first_name, first_name_key)
       SELECT 'many' || i || '@example.test', 'many' || i || '@example.test', '-', 'Many', 'many'
         FROM generate_series(1, 40) AS i`,
    );
    await web.page.goto(`${url()}/administration/users`);
    await web.field("Find accounts").fill("many");
    await row(web, "Accounts", "many30@").waitFor();
    expect(await row(web, "Accounts", "").count()).toBe(30);
    await web.button("Show more").click();
    await row(web, "Accounts", "many40@").waitFor();
    expect(await web.button("Show more").count()).toBe(0);
    await web.field("Status").selectOption("Suspended");
    await web.page.getByText("No account is like this.").waitFor();
    await web.field("Status").selectOption("All accounts");
    await web.field("Find accounts").fill("Root");
    await web.field("Role").selectOption("Administrators");
    await row(web, "Accounts", "Root").waitFor();
    expect(await row(web, "Accounts", "").count()).toBe(1);
  });

  test("groups get another owner or are deleted, and invites are made and revoked, with the keyboard", async () => {
    const owner = await messenger().person("Olaf");
    const other = await messenger().person("Petra");
    const stranger = await messenger().person("Stranger");
    await createGroup(await owner.connect(), [other], "Chess club");
    const web = await device(await admin(messenger(), "Greta"));
    await web.page.goto(`${url()}/administration/groups`);
    await row(web, "Groups", "Chess club").getByText("owner Olaf").waitFor();
    await act(web, "Chess club", "Change owner");
    const dialog = web.dialog("Change owner");
    for (const { email } of [stranger, other]) {
      await dialog.getByRole("searchbox", { name: "Find members" }).fill(email);
      await dialog.getByRole("button").filter({ hasText: email }).click();
      await web.confirm("Make owner");
      if (email === stranger.email) await web.alert.filter({ hasText: "is not a member of this group." }).waitFor();
    }
    await row(web, "Groups", "Chess club").getByText("owner Petra").waitFor();
    await web.button("Actions for Chess club").focus();
    await web.page.keyboard.press("Enter");
    await web.page.keyboard.press("ArrowUp");
    await web.page.keyboard.press("Enter");
    await web.confirm("Delete group");
    await gone(row(web, "Groups", "Chess club"));

    await section(web, "Invites").focus();
    await web.page.keyboard.press("Enter");
    await web.button("Invite people").click();
    await web.field("E-mail").fill("nina@example.test");
    await web.button("Create link").click();
    await shownLink(web);
    await web.button("Revoke the invite for nina@example.test").click();
    await web.confirm("Revoke invite");
    await row(web, "Invites", "nina@example.test").getByText("revoked").waitFor();
    await section(web, "Statistics").click();
    await web.page.getByRole("img", { name: /^Messages per day: \d+ in 30 days/ }).waitFor();
  });

  test("is not shown to other users", async () => {
    const web = await device(await messenger().person("Member"));
    await web.openSettings();
    await web.page.getByRole("region", { name: "Devices" }).waitFor();
    expect(await web.link("Administration").count()).toBe(0);
    await web.page.goto(`${url()}/administration/users`);
    await web.page.getByText("Only administrators manage this server.").waitFor();
  });
});

describeWithChromium("axe finds no violation in the administration and the pages of links", () => {
  const people = useWebPeople();

  async function check({ page }: WebPage): Promise<void> {
    await page.evaluate(axeSource);
    const { violations } = (await page.evaluate('axe.run({ resultTypes: ["violations"] })')) as AxeResults;
    expect(violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`))).toEqual([]);
  }

  test.each([
    ["light", 1280],
    ["dark", 390],
  ] as const)("%s, %d pixels wide", async (colorScheme, width) => {
    const options = { colorScheme, viewport: { width, height: 844 } };
    const root = await admin(people.messenger(), "Root");
    const suspended = await people.messenger().person("Sam");
    await people
      .messenger()
      .http("PATCH", `/admin/users/${suspended.id}`, { token: root.token, body: { suspended: true } });
    await createGroup(await root.connect(), [], `Everybody ${colorScheme}`);
    const web = await people.device(root, options);
    await web.page.goto(`${people.url()}/administration`);
    await row(web, "Accounts", "Sam").first().getByText("Suspended").waitFor();
    await check(web);
    await web.button("Create account").click();
    await check(web);
    await web.page.keyboard.press("Escape");
    await section(web, "Groups").click();
    await act(web, `Everybody ${colorScheme}`, "Change owner");
    await web.dialog("Change owner").getByRole("button").filter({ hasText: "@" }).first().waitFor();
    await check(web);
    await web.page.keyboard.press("Escape");
    for (const [name, text] of [
      ["Invites", "Invite people"],
      ["Statistics", "Messages per day"],
      ["Audit log", "Suspended an account"],
    ] as const) {
      await section(web, name).click();
      await web.page.getByText(text).last().waitFor();
      await check(web);
    }
    const guest = await WebPage.open(await people.browser.context(options), people.url(), "/setup#x");
    await guest.button("Create account").waitFor();
    await check(guest);
    for (const [path, button] of [
      ["/reset#x", "Set password"],
      ["/verify#x", "Confirm address"],
      ["/forgotten-password", "Send link"],
    ] as const) {
      await guest.page.goto(`${people.url()}${path}`);
      await guest.button(button).waitFor();
      await check(guest);
    }
    await guest.page.goto(`${people.url()}/verify`);
    await guest.page.getByText("This link does not work.").waitFor();
    await check(guest);
  });
});
