import { expect, test } from "@jest/globals";
import { serverInvite } from "../../../test/support/invites.ts";
import { password, useMessenger } from "../../../test/support/messenger.ts";
import { client, live, until } from "./support/client.ts";

/* Registration with an invite, against a real server. */

const server = useMessenger({ REGISTRATION: "invite", SERVER_NAME: "Willow House" });

const nina = { email: "nina@example.test", password, firstName: "Nina" };

test("without a session, `resume` reads what the server says about registration", async () => {
  const messenger = client(server());
  expect(messenger.info.value).toBeUndefined();
  expect(await messenger.resume()).toBe(false);
  expect(await until(messenger.info, (info) => info !== undefined)).toMatchObject({ registration: "invite" });
  expect(messenger.connection.value).toEqual({ state: "loggedOut" });
});

test("an invite is read before the log-in, and used once", async () => {
  const { token } = await serverInvite(server());
  const messenger = client(server());
  await expect(messenger.register(nina)).rejects.toMatchObject({ code: "REGISTRATION_CLOSED" });
  expect(await messenger.invite(token)).toEqual({ invitedBy: "Willow House", groupNames: [] });
  await messenger.register({ ...nina, invite: token });
  await live(messenger);
  const other = client(server());
  await expect(other.invite(token)).rejects.toMatchObject({ code: "NOT_FOUND" });
  await expect(other.register({ ...nina, invite: token })).rejects.toMatchObject({ code: "INVITE_INVALID" });
});

test("a token with any characters is read as one part of the path", async () => {
  await expect(client(server()).invite("../users/me?x#y")).rejects.toMatchObject({ code: "NOT_FOUND" });
});
