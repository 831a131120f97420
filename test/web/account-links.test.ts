import { expect, test } from "@jest/globals";
import { useMailMessenger } from "../support/mail-messenger.ts";
import { password, useMessenger } from "../support/messenger.ts";
import { describeWithChromium } from "../support/prerequisites.ts";
import { tokenIn } from "../support/smtp.ts";
import { useBrowser } from "../support/test-browser.ts";
import { gone, WebPage } from "../support/web-page.ts";

/* The pages that mailed links lead to, in the browser. */

describeWithChromium("mailed links in the web client", () => {
  const running = useMailMessenger({ EMAIL_VERIFICATION: "required" });
  const browser = useBrowser();
  const url = () => `http://127.0.0.1:${running().messenger.port}`;
  const open = async (path = "/") => WebPage.open(await browser.context(), url(), path);

  test("a new user confirms the address in another tab, with the second mail", async () => {
    const { smtp } = running();
    const email = "nina@example.test";
    const web = await open("/register");
    await web.field("First name").fill("Nina");
    await web.field("E-mail").fill(email);
    await web.field("Password").fill(password);
    await web.button("Create account").click();
    await web.page.getByText("Confirm your e-mail address to write messages").waitFor();
    const first = tokenIn(await smtp.latestTo(email));
    await web.button("Send the mail again").click();
    await web.alert.filter({ hasText: `The mail is on its way to ${email}.` }).waitFor();
    const second = tokenIn(await smtp.latestTo(email, 2));
    await web.openSettings();
    await web.page.getByText("Not confirmed yet").waitFor();

    const tab = await WebPage.open(web.page.context(), url(), `/verify#${first}`);
    await tab.button("Confirm address").click();
    await tab.page.getByText("This link does not work.").waitFor();
    await tab.page.goto(`${url()}/verify#${second}`);
    await tab.button("Confirm address").click();
    await tab.page.getByText("Your e-mail address is confirmed.").waitFor();
    await tab.link("Go to your chats").click();
    await tab.chats.waitFor();
    await web.page.bringToFront();
    await web.page.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
    await gone(web.button("Send the mail again"));
  });

  test("a new address that is not confirmed yet can be given up", async () => {
    const { messenger } = running();
    const { id, email } = await messenger.person();
    await messenger.sql("UPDATE users SET email_verified_at = clock_timestamp() WHERE id = $id", { id });
    const web = await open();
    await web.logIn(email, password);
    await web.openSettings();
    const profile = web.page.getByRole("region", { name: "Profile" });
    await profile.getByLabel("E-mail").fill("misspelled@example.test");
    await profile.getByLabel("Password").fill(password);
    await profile.getByRole("button", { name: "Save" }).click();
    await web.page.getByText("Confirm your new e-mail address").waitFor();
    await web.button("Keep the present address").click();
    await web.alert.filter({ hasText: `Your e-mail address is still ${email}.` }).waitFor();
    await gone(web.button("Send the mail again"));
    const [stored] = await messenger.sql("SELECT email, pending_email FROM users WHERE id = $id", { id });
    expect(stored).toEqual({ email, pending_email: null });
  });

  test("somebody who forgot the password gets a link, sets another one and logs in with it", async () => {
    const { messenger, smtp } = running();
    const { email } = await messenger.person();
    const mails = (await smtp.mailsTo(email)).length;
    const web = await open();
    await web.link("Forgotten password?").click();
    await web.button("Send link").click();
    await web.alert.filter({ hasText: "Enter an e-mail address" }).waitFor();
    await web.field("E-mail").fill(email);
    await web.button("Send link").click();
    await web.status(`If there is an account with the address ${email}`).waitFor();

    const path = `/reset#${tokenIn(await smtp.latestTo(email, mails + 1))}`;
    await web.page.goto(url() + path);
    await web.field("New password").fill("short");
    await web.button("Set password").click();
    await web.alert.filter({ hasText: "Use at least 8 characters." }).waitFor();
    await web.field("New password").fill("another battery staple");
    await web.button("Set password").click();
    await web.page.getByText("Your password is set. Log in with it.").waitFor();
    await web.logIn(email, "another battery staple");

    const other = await open(path);
    await other.field("New password").fill("yet another battery");
    await other.button("Set password").click();
    await other.page.getByText("This link does not work.").waitFor();
    await other.link("ask for a new link").click();
    await other.button("Send link").waitFor();
  });
});

describeWithChromium("without mail and web client", () => {
  const messenger = useMessenger({ WEB_CLIENT: "off" });
  const browser = useBrowser();

  test("the set-up link creates the administrator, and tells where to log in", async () => {
    const { url: link } = await messenger().administration.setupLink.make();
    const { hash } = new URL(link);
    const web = await WebPage.open(await browser.context(), `http://127.0.0.1:${messenger().port}`, `/setup${hash}`);
    await web.field("First name").fill("Ada");
    await web.field("E-mail").fill("ada@example.test");
    await web.field("Password").fill(password);
    await web.button("Create account").click();
    await web.page.getByText("Log in with the app that you use for this server.").waitFor();
    const users = await messenger().sql<{ role: string }>("SELECT role FROM users");
    expect(users.map(({ role }) => role)).toEqual(["admin"]);
  });
});
