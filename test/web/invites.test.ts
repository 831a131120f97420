import { expect, test } from "@jest/globals";
import { invite, promote, serverInvite } from "../support/invites.ts";
import { password, useMessenger } from "../support/messenger.ts";
import { describeWithChromium } from "../support/prerequisites.ts";
import { createGroup, participant } from "../support/scenes.ts";
import { useBrowser } from "../support/test-browser.ts";
import { WebPage } from "../support/web-page.ts";
import { useWebPeople } from "../support/web-people.ts";

/* Inviting people and following the link of an invite, in the browser. */

async function fillRegistration(web: WebPage, email?: string): Promise<void> {
  await web.field("First name").fill("Nina");
  if (email !== undefined) await web.field("E-mail").fill(email);
  await web.field("Password").fill(password);
  await web.button("Create account").click();
}

describeWithChromium("invites in the web client", () => {
  const { messenger, browser, url, person, device } = useWebPeople();
  const open = async (path: string) => WebPage.open(await browser.context(), url(), path);

  test("the page of an invite says who invites to which groups, and creates an account in them", async () => {
    const admin = await promote(messenger(), await participant(messenger(), { firstName: "Ada" }));
    const groupId = await createGroup(admin.device, [], "Tea & cake");
    const { token } = await invite(messenger(), admin, { groupIds: [groupId], email: "nina@example.test" });
    const web = await open(`/invite#${token}`);
    await web.page.getByText("Ada invites you. Create an account to chat.").waitFor();
    await web.page.getByRole("listitem").getByText("Tea & cake").waitFor();
    expect(await web.field("E-mail").inputValue()).toBe("nina@example.test");
    expect(await web.field("E-mail").isEditable()).toBe(false);
    await fillRegistration(web);
    await web.openChat("Tea & cake");
    await web.log().getByText("Nina joined the group with an invite").waitFor();
    expect(new URL(web.page.url()).hash).toBe("");
  });

  test("an invite that does not work says so in plain words, before and after it is read", async () => {
    const web = await open("/invite#nothing");
    await web.page.getByText("This invite does not work.").waitFor();
    await web.link("Log in instead").click();
    await web.button("Log in").waitFor();

    const { token } = await serverInvite(messenger());
    await web.page.goto(`${url()}/invite#${token}`);
    await web.field("First name").waitFor();
    await messenger().sql("UPDATE invites SET revoked_at = now()");
    await fillRegistration(web, "late@example.test");
    await web.alert.filter({ hasText: "This invite is not valid any more" }).waitFor();
  });

  test("somebody who is logged in keeps the account", async () => {
    const { web } = await person();
    const { token } = await serverInvite(messenger());
    await web.page.goto(`${url()}/invite#${token}`);
    await web.alert.filter({ hasText: "You already have an account here." }).waitFor();
    await web.chats.waitFor();
  });

  test("an administrator invites people in the settings, and revokes the invite", async () => {
    const admin = await promote(messenger(), await participant(messenger()));
    const groupId = await createGroup(admin.device, [], "Newcomers");
    const web = await device(admin, { permissions: ["clipboard-read", "clipboard-write"] });
    await web.openSettings();
    await web.button("Invite people").click();
    const dialog = web.dialog("Invite people");
    await dialog.getByLabel("For how many people").fill("none");
    await dialog.getByRole("button", { name: "Create link" }).click();
    await web.alert.filter({ hasText: "Enter a number from 1 to 9999." }).waitFor();
    await dialog.getByLabel("For how many people").fill("3");
    await dialog.getByLabel("One day").check();
    await dialog.getByLabel("Newcomers").check();
    await dialog.getByRole("button", { name: "Create link" }).click();
    await dialog.getByRole("button", { name: "Copy link" }).click();
    await web.alert.filter({ hasText: "The link is copied." }).waitFor();
    const link = await dialog.getByLabel("Link").inputValue();
    expect(await web.page.evaluate(() => navigator.clipboard.readText())).toBe(link);
    expect(link).toMatch(new RegExp(`^${url()}/invite#[\\w-]{43}$`));
    const [row] = await messenger().sql(
      `SELECT max_uses AS "maxUses", to_jsonb(group_ids) AS "groupIds" FROM invites WHERE created_by = $id`,
      { id: admin.id },
    );
    expect(row).toEqual({ maxUses: 3, groupIds: [groupId] });
    await dialog.getByRole("button", { name: "Done" }).click();
    await web.button("Revoke the invite for 3 people").click();
    await web.button("Revoke the invite for 3 people").waitFor({ state: "hidden" });
    const other = await open(new URL(link).pathname + new URL(link).hash);
    await other.page.getByText("This invite does not work.").waitFor();
  });

  test("other users are not offered to invite", async () => {
    const { web } = await person();
    await web.openSettings();
    await web.page.getByRole("region", { name: "Devices" }).waitFor();
    expect(await web.button("Invite people").count()).toBe(0);
  });
});

describeWithChromium("registration in the web client", () => {
  const browser = useBrowser();
  const byInvite = useMessenger({ REGISTRATION: "invite" });
  const closed = useMessenger({ REGISTRATION: "closed" });
  const open = async (messenger: typeof byInvite, path: string) =>
    WebPage.open(await browser.context(), `http://127.0.0.1:${messenger().port}`, path);

  test.each([
    ["by invite only", byInvite, "Accounts are by invite only."],
    ["closed", closed, "New accounts are not accepted here."],
  ])("that is %s is not offered", async (_policy, messenger, sentence) => {
    const web = await open(messenger, "/register");
    await web.page.getByText(sentence).waitFor();
    expect(await web.button("Create account").count()).toBe(0);
    await web.link("Log in instead").click();
    await web.button("Log in").waitFor();
    expect(await web.link("Create a new account").count()).toBe(0);
  });

  test("an invite works all the same", async () => {
    const web = await open(closed, `/invite#${(await serverInvite(closed())).token}`);
    await web.page.getByText("Messenger invites you.").waitFor();
    await fillRegistration(web, "guest@example.test");
    await web.chats.waitFor();
  });
});

describeWithChromium("without the web client", () => {
  const browser = useBrowser();
  const messenger = useMessenger({ WEB_CLIENT: "off" });

  test("the page of an invite creates an account and tells where to use it", async () => {
    const { token } = await serverInvite(messenger());
    const web = await WebPage.open(await browser.context(), `http://127.0.0.1:${messenger().port}`, `/invite#${token}`);
    await fillRegistration(web, "app@example.test");
    await web.page.getByText("Log in with the app that you use for this server.").waitFor();
    const rows = await messenger().sql("SELECT 1 FROM sessions WHERE revoked_at IS NULL");
    expect(rows).toEqual([]);
  });
});
