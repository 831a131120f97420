import { describe, expect, test } from "@jest/globals";
import type { AnyMessageType } from "../src/ws/message-type.ts";
import { messageTypes } from "../src/ws/registry.ts";
import type { Device } from "./support/device.ts";
import { download, linkTo, upload } from "./support/files.ts";
import { invite, promote } from "./support/invites.ts";
import { useMailMessenger } from "./support/mail-messenger.ts";
import { password, TestMessenger, type TestUser } from "./support/messenger.ts";
import { createGroup, deleteAccount, participant, sendPrivately } from "./support/scenes.ts";
import { linkIn, tokenIn } from "./support/smtp.ts";

/* EMAIL_VERIFICATION=required: who registers confirms the e-mail address before writing. */

const running = useMailMessenger({ EMAIL_VERIFICATION: "required" });

const verify = (token: string) => running().messenger.http("POST", "/auth/email/verify", { body: { token } });
const resend = (token: string) => running().messenger.http("POST", "/auth/email/resend", { token });
const profileOf = async ({ token }: TestUser) => (await running().messenger.http("GET", "/users/me", { token })).body;
const changeEmail = ({ token }: TestUser, email: string) =>
  running().messenger.http("PATCH", "/users/me", { token, body: { email, password } });
const codeOf = async (device: Device, type: string, params: object) => (await device.exchange({ type, params })).code;

/** Registers a user, who has not confirmed the address. */
const newcomer = (): Promise<TestUser> => running().messenger.person();

/** The token of the latest of so many mails to an address. */
const mailedToken = async (email: string, count = 1) => tokenIn(await running().smtp.latestTo(email, count));

/** Registers a user who has confirmed the address. */
async function confirmed(): Promise<TestUser> {
  const user = await newcomer();
  expect((await verify(await mailedToken(user.email))).status).toBe(204);
  return user;
}

describe("an account of an invite", () => {
  const newPerson = (email: string, token: string) => ({ email, password, firstName: "Nina", invite: token });

  test("counts as confirmed if its link came by mail, and works with either link once", async () => {
    const { messenger, smtp } = running();
    const admin = await promote(messenger, await confirmed());
    const created = await invite(messenger, admin, { email: "nina@example.test" });
    const mail = await smtp.latestTo("nina@example.test");
    expect(linkIn(mail)).toMatch(/^https:\/\/chat\.example\.test\/invite#[\w-]{43}$/);
    expect(tokenIn(mail)).not.toBe(created.token);
    const registered = await messenger.http("POST", "/auth/register", {
      body: newPerson("nina@example.test", tokenIn(mail)),
    });
    expect(registered).toMatchObject({ status: 201, body: { user: { pendingEmail: null } } });
    const again = await messenger.http("POST", "/auth/register", {
      body: newPerson("nina@example.test", created.token),
    });
    expect({ status: again.status, code: again.body.code }).toEqual({ status: 403, code: "INVITE_INVALID" });
  });

  test("has to be confirmed if its link came from somebody else", async () => {
    const { messenger } = running();
    const admin = await promote(messenger, await confirmed());
    const { token } = await invite(messenger, admin, { email: "nino@example.test" });
    const registered = await messenger.http("POST", "/auth/register", { body: newPerson("nino@example.test", token) });
    expect(registered).toMatchObject({ status: 201, body: { user: { pendingEmail: "nino@example.test" } } });
  });
});

describe("a new account", () => {
  test("gets a mail, whose link confirms the address once", async () => {
    const user = await newcomer();
    expect(await profileOf(user)).toMatchObject({ email: user.email, pendingEmail: user.email });
    const mail = await running().smtp.latestTo(user.email);
    expect(linkIn(mail)).toMatch(/^https:\/\/chat\.example\.test\/verify#[\w-]{43}$/);
    expect((await verify(tokenIn(mail))).status).toBe(204);
    expect(await profileOf(user)).toMatchObject({ email: user.email, pendingEmail: null });
    const again = await verify(tokenIn(mail));
    expect({ status: again.status, code: again.body.code }).toEqual({ status: 403, code: "TOKEN_INVALID" });
  });

  test("gets the mail again on request, which ends the earlier link; a confirmed account gets none", async () => {
    const user = await newcomer();
    const first = await mailedToken(user.email);
    expect((await resend(user.token)).status).toBe(202);
    const second = await mailedToken(user.email, 2);
    expect((await verify(first)).body.code).toBe("TOKEN_INVALID");
    expect((await verify(second)).status).toBe(204);
    expect((await resend(user.token)).body.code).toBe("CONFLICT");
  });

  test("cannot use a link after a day, or a link of another kind", async () => {
    const { messenger, smtp } = running();
    const user = await newcomer();
    const token = await mailedToken(user.email);
    await messenger.http("POST", "/auth/password/forgot", { body: { email: user.email } });
    await smtp.mailsTo(user.email, 2);
    expect((await verify(await mailedToken(user.email, 2))).body.code).toBe("TOKEN_INVALID");
    await messenger.sql("UPDATE one_time_tokens SET expires_at = expires_at - interval '1 day'");
    expect((await verify(token)).body.code).toBe("TOKEN_INVALID");
    expect(await profileOf(user)).toMatchObject({ pendingEmail: user.email });
  });

  test("logs in and changes its own account", async () => {
    const { messenger } = running();
    const { email, token } = await newcomer();
    expect((await messenger.http("POST", "/auth/login", { body: { email, password } })).status).toBe(200);
    const renamed = await messenger.http("PATCH", "/users/me", { token, body: { firstName: "Renamed" } });
    expect(renamed.status).toBe(200);
    expect((await messenger.http("DELETE", "/users/me", { token, body: { password } })).status).toBe(204);
  });

  test("loses its link when its password changes", async () => {
    const { email, token } = await newcomer();
    const linkToken = await mailedToken(email);
    const body = { oldPassword: password, newPassword: "another long sentence" };
    expect((await running().messenger.http("PUT", "/users/me/password", { token, body })).status).toBe(204);
    expect((await verify(linkToken)).body.code).toBe("TOKEN_INVALID");
  });

  test("that is deleted gets no mail that is still queued", async () => {
    const { messenger, smtp } = running();
    await smtp.stop();
    const user = await newcomer();
    await deleteAccount(messenger, user);
    expect(await messenger.sql("SELECT 1 FROM mail_outbox WHERE user_id = $id", { id: user.id })).toEqual([]);
    await smtp.resume();
  });
});

describe("until the address is confirmed", () => {
  const readOnly = [
    "listGroupMembers",
    "listLastMessage",
    "getlatestMessageDialog",
    "getlatestMessageGroup",
    "getMessages",
    "sync",
    "listReactions",
    "listPinned",
    "searchMessages",
    "listMentions",
    "listReaders",
    "watchPresence",
    "authenticate",
    "ping",
  ];

  test("a socket may only read: every other type of message is forbidden", async () => {
    const device = await (await newcomer()).connect();
    const allowed: string[] = [];
    for (const { type, example } of Object.values<AnyMessageType>(messageTypes)) {
      const { code, message } = await device.exchange({ type, params: example.params });
      if (code !== "FORBIDDEN") allowed.push(type);
      else expect(message).toBe("Confirm your e-mail address first");
    }
    expect(allowed).toEqual(readOnly);
  });

  test("no type that is pushed to others counts as reading", () => {
    const pushed = Object.values<AnyMessageType>(messageTypes).filter(({ push }) => push?.change ?? push?.signal);
    expect(pushed.filter((type) => type.readOnly).map(({ type }) => type)).toEqual([]);
  });

  test("nothing is stored, and messages of others arrive", async () => {
    const { messenger } = running();
    const [user, friend] = [await newcomer(), await confirmed()];
    const [device, friendDevice] = [await user.connect(), await friend.connect()];
    const { chatId } = await sendPrivately(friendDevice, user.id, "welcome");
    expect((await device.nextPush("privateMessage")).params.item.message).toBe("welcome");
    expect(await codeOf(device, "privateMessage", { receiverId: friend.id, content: "hi" })).toBe("FORBIDDEN");
    expect(await codeOf(device, "markRead", { chatId, seq: 1 })).toBe("FORBIDDEN");
    expect(await codeOf(device, "newGroup", { groupName: "mine" })).toBe("FORBIDDEN");
    const rows = await messenger.sql("SELECT 1 FROM messages WHERE sender_id = $id", { id: user.id });
    expect(rows).toEqual([]);
    expect((await device.request("getMessages", { chatId, limit: 5 })).params.data).toHaveLength(1);
  });

  test("HTTP changes the own account only: inviting somebody is forbidden", async () => {
    const { token } = await newcomer();
    const { status, body } = await running().messenger.http("POST", "/invites", { token, body: {} });
    expect({ status, code: body.code, detail: body.detail }).toEqual({
      status: 403,
      code: "FORBIDDEN",
      detail: "Confirm your e-mail address first",
    });
  });

  test("HTTP reads the files of others, also by links for pages", async () => {
    const [user, friend] = [await newcomer(), await confirmed()];
    const fileId = await upload(running().messenger, friend, "for you");
    const device = await friend.connect();
    await device.request("privateMessage", { receiverId: user.id, content: "", fileIds: [fileId] });
    const link = await linkTo(running().messenger, user, fileId);
    expect((await download(running().messenger, link ?? "")).content.toString()).toBe("for you");
    const { token } = user;
    const body = { name: "mine", size: 1 };
    expect((await running().messenger.http("POST", "/files", { token, body })).body.code).toBe("FORBIDDEN");
  });

  test("open sockets write as soon as it is, in the order of their requests", async () => {
    const [user, friend] = [await newcomer(), await confirmed()];
    const devices = [await user.connect(), await user.connect()];
    const friendDevice = await friend.connect();
    const send = (device: Device, content: string) =>
      device.exchange({ type: "privateMessage", params: { receiverId: friend.id, content } });
    for (const device of devices) expect((await send(device, "too early")).code).toBe("FORBIDDEN");
    expect((await verify(await mailedToken(user.email))).status).toBe(204);
    for (const device of devices) {
      const contents = Array.from({ length: 20 }, (_, index) => `message ${index}`);
      const answers = await Promise.all(contents.map((content) => send(device, content)));
      expect(answers.map(({ error }) => error ?? false)).toEqual(contents.map(() => false));
      const received: string[] = [];
      for (const _ of contents) received.push((await friendDevice.nextPush("privateMessage")).params.item.message);
      expect(received).toEqual(contents);
    }
  });
});

describe("a new e-mail address", () => {
  test("takes effect when it is confirmed, and the old one is notified", async () => {
    const { messenger, smtp } = running();
    const user = await confirmed();
    const email = `new.${user.email}`;
    const changed = await changeEmail(user, email);
    expect(changed.body).toMatchObject({ email: user.email, pendingEmail: email });
    const logIn = async (address: string) =>
      (await messenger.http("POST", "/auth/login", { body: { email: address, password } })).status;
    expect([await logIn(user.email), await logIn(email)]).toEqual([200, 401]);
    const device = await user.connect();
    expect(await codeOf(device, "newGroup", { groupName: "still mine" })).toBeUndefined();

    expect((await verify(await mailedToken(email))).status).toBe(204);
    expect(await profileOf(user)).toMatchObject({ email, pendingEmail: null });
    expect([await logIn(user.email), await logIn(email)]).toEqual([401, 200]);
    const notice = await smtp.latestTo(user.email, 2);
    expect(notice.subject).toMatch(/was changed$/);
    expect(notice.text).not.toContain(email);
  });

  test("can be replaced by another one, and withdrawn", async () => {
    const user = await confirmed();
    await changeEmail(user, `one.${user.email}`);
    const first = await mailedToken(`one.${user.email}`);
    await changeEmail(user, `two.${user.email}`);
    expect((await verify(first)).body.code).toBe("TOKEN_INVALID");
    const second = await mailedToken(`two.${user.email}`);
    const { token } = user;
    const withdrawn = await running().messenger.http("PATCH", "/users/me", { token, body: { email: user.email } });
    expect(withdrawn.body).toMatchObject({ email: user.email, pendingEmail: null });
    expect((await verify(second)).body.code).toBe("TOKEN_INVALID");
  });

  test("that another account takes meanwhile stays with that account", async () => {
    const user = await confirmed();
    const email = `contested.${user.email}`;
    await changeEmail(user, email);
    const token = await mailedToken(email);
    const body = { email: email.toUpperCase(), password, firstName: "Quick" };
    expect((await running().messenger.http("POST", "/auth/register", { body })).status).toBe(201);
    const { status, body: problem } = await verify(token);
    expect({ status, code: problem.code }).toEqual({ status: 409, code: "EMAIL_TAKEN" });
  });

  test("replaces an address that was never confirmed, which is not notified", async () => {
    const { smtp } = running();
    const user = await newcomer();
    await mailedToken(user.email);
    await changeEmail(user, `right.${user.email}`);
    expect((await verify(await mailedToken(`right.${user.email}`))).status).toBe(204);
    expect(await profileOf(user)).toMatchObject({ email: `right.${user.email}`, pendingEmail: null });
    // The one mail that is sent afterwards shows that none was queued before it.
    await running().messenger.http("POST", "/auth/password/forgot", { body: { email: `right.${user.email}` } });
    await smtp.mailsTo(`right.${user.email}`, 2);
    expect(await smtp.mailsTo(user.email)).toHaveLength(1);
  });
});

describe("accounts that need not confirm", () => {
  test("are those that a process of the version before or an administrator has created", async () => {
    const { messenger } = running();
    const user = await newcomer();
    const [row] = await messenger.sql<{ isDefault: boolean }>(
      `SELECT pg_get_expr(d.adbin, d.adrelid) IS NOT NULL AS "isDefault"
         FROM pg_attribute a JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
        WHERE a.attrelid = 'users'::regclass AND a.attname = 'email_verified_at'`,
    );
    expect(row).toEqual({ isDefault: true });
    await messenger.sql("UPDATE users SET email_verified_at = DEFAULT WHERE id = $id", { id: user.id });
    expect(await profileOf(user)).toMatchObject({ pendingEmail: null });
  });
});

test("mails that a user requests are limited", async () => {
  const messenger = await TestMessenger.start({
    EMAIL_VERIFICATION: "required",
    RATE_LIMITS: "on",
    LIMIT_MAILS_PER_USER: "1+1/600s",
  });
  const { token } = await messenger.person();
  const again = () => messenger.http("POST", "/auth/email/resend", { token });
  expect([(await again()).status, (await again()).status]).toEqual([202, 429]);
  await messenger.stop();
});

describe("without EMAIL_VERIFICATION", () => {
  test("everybody writes, a new address takes effect at once and ends all links", async () => {
    const messenger = await TestMessenger.start();
    const ann = await participant(messenger);
    await createGroup(ann.device, []);
    const { token } = ann;
    await messenger.sql(
      `INSERT INTO one_time_tokens (kind, user_id, token_hash, expires_at) VALUES ('password', $id, '', now() + interval '1 hour')`,
      { id: ann.id },
    );
    const body = { email: "other@example.test", password };
    const changed = await messenger.http("PATCH", "/users/me", { token, body });
    expect(changed.body).toMatchObject({ email: "other@example.test", pendingEmail: null });
    expect(await messenger.sql("SELECT 1 FROM one_time_tokens")).toEqual([]);
    expect((await messenger.http("POST", "/auth/email/resend", { token })).body.code).toBe("CONFLICT");
    await messenger.closeDevices();
    await messenger.stop();
  });
});
