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
  await messenger.close();

  await links.forgotPassword(email);
  expect((await smtp.latestTo(email, 3)).subject).toMatch(/new password/);
});
