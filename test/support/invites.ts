import { fromCommandLine } from "../../src/domain/administration.ts";
import { issueInvite } from "../../src/services/accounts/issue-invite.ts";
import { RegistrationRules } from "../../src/services/accounts/registration-rules.ts";
import { Mails } from "../../src/services/mail/mails.ts";
import { registerSecret } from "./leak-scan.ts";
import { password, type TestMessenger, type TestUser } from "./messenger.ts";

/* Invites, and the registrations that tests make with them. */

let count = 0;
const freshAddress = (): string => `invited.${++count}@example.test`;

/** Sends a registration. */
export const register = (messenger: TestMessenger, given: object = {}) =>
  messenger.http("POST", "/auth/register", { body: { email: freshAddress(), password, firstName: "Guest", ...given } });

/** Creates an invite over HTTP. */
export async function invite(messenger: TestMessenger, { token }: { token: string }, given: object = {}) {
  const { status, body } = await messenger.http("POST", "/invites", { token, body: given });
  if (status !== 201) throw new Error(`there is no invite: ${JSON.stringify(body)}`);
  registerSecret(body.token, "text");
  return body;
}

/** Creates an invite as the command line does. */
export async function serverInvite(messenger: TestMessenger, given: Parameters<typeof issueInvite>[2] = {}) {
  const rules = new RegistrationRules({ policy: "open", domains: [], invitesBy: "admins" });
  const makeLink = (page: string, token: string) => `/${page}#${token}`;
  const mails = new Mails({ database: messenger.db, isAvailable: false });
  const parts = { database: messenger.db, rules, mails, makeLink, serverName: "Messenger" };
  const issued = await issueInvite(parts, fromCommandLine, given);
  registerSecret(issued.token, "text");
  return issued;
}

/** Makes a person an administrator. */
export async function promote<User extends TestUser>(messenger: TestMessenger, user: User): Promise<User> {
  await messenger.sql("UPDATE users SET role = 'admin' WHERE id = $id", { id: user.id });
  return user;
}
