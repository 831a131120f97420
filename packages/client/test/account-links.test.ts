import { expect, test } from "@jest/globals";
import { AccountLinks, readProfile, resendVerification } from "messenger-client/account";
import WebSocket from "ws";
import { useMailMessenger } from "../../../test/support/mail-messenger.ts";
import { tokenIn } from "../../../test/support/smtp.ts";
import { Messenger } from "../src/index.ts";
import { password } from "./support/scenes.ts";

/* What people do with mailed links, with a server that sends mails. */

const running = useMailMessenger({ EMAIL_VERIFICATION: "required" });
const email = "ann@example.test";

test("a user confirms the e-mail address, with the second mail, and asks for a new password", async () => {
  const { messenger: server, smtp } = running();
  const url = `http://127.0.0.1:${server.port}/`;
  const links = new AccountLinks({ url });
  const messenger = new Messenger({ url, WebSocket });
  await messenger.register({ email, password, firstName: "Ann" });
  expect(messenger.user.value?.pendingEmail).toBe(email);

  await smtp.mailsTo(email);
  await resendVerification(messenger);
  const [first, second] = (await smtp.mailsTo(email, 2)).map(tokenIn);
  await expect(links.verifyEmail(first ?? "")).rejects.toMatchObject({ code: "TOKEN_INVALID" });
  await links.verifyEmail(second ?? "");
  await readProfile(messenger);
  expect(messenger.user.value?.pendingEmail).toBeNull();
  await expect(resendVerification(messenger)).rejects.toMatchObject({ code: "CONFLICT" });
  await messenger.logout();

  await links.forgotPassword(email);
  const token = tokenIn(await smtp.latestTo(email, 3));
  const newPassword = "another battery staple";
  await links.resetPassword(token, newPassword);
  await expect(links.resetPassword(token, newPassword)).rejects.toMatchObject({ code: "TOKEN_INVALID" });
  await expect(messenger.login({ email, password })).rejects.toMatchObject({ code: "BAD_CREDENTIALS" });
  await messenger.login({ email, password: newPassword });
  await messenger.close();
});

test("the first administrator is created with a set-up link, once", async () => {
  const { messenger: server } = running();
  const { url: link } = await server.administration.setupLink.make();
  const messenger = new Messenger({ url: `http://127.0.0.1:${server.port}`, WebSocket });
  const body = { token: tokenIn({ text: link }), email: "ada@example.test", password, firstName: "Ada" };
  await messenger.setup(body);
  expect(messenger.user.value).toMatchObject({ role: "admin", pendingEmail: null });
  await expect(messenger.setup({ ...body, email: "eve@example.test" })).rejects.toMatchObject({
    code: "TOKEN_INVALID",
  });
  await messenger.close();
});
