import type { Database } from "../../db/connect.ts";
import { hasAdmin } from "../../db/queries/administration/admins.ts";
import { recordAction } from "../../db/queries/administration/audit.ts";
import { emailKey } from "../../models/keys.ts";
import type { Accounts, SessionGrant } from "../accounts/accounts.ts";
import { type AccountInput, newAccount, rejectTakenEmail, storeAccount } from "../accounts/new-account.ts";
import { findOneTimeToken, tokenInvalid, useOneTimeToken } from "../accounts/one-time-tokens.ts";
import type { Passwords } from "../accounts/passwords.ts";
import type { Device } from "../accounts/sessions.ts";

/** Creates the first administrator, with the token of a set-up link. */
export class Setup {
  constructor(
    private readonly options: { database: Database; passwords: Passwords; accounts: Pick<Accounts, "startSession"> },
  ) {}

  /**
   * @throws AppError of kind "tokenInvalid", also if there is an administrator by now; of kind "emailTaken", with which the
   *   token stays valid
   */
  async run({ token, ...input }: AccountInput & { token: string }, device: Device): Promise<SessionGrant> {
    const { database, passwords, accounts } = this.options;
    const { address } = device;
    await findOneTimeToken(database, { kind: "setup", token });
    const account = await newAccount(passwords, input, { address, account: emailKey(input.email) });
    const grant = await rejectTakenEmail(() =>
      accounts.startSession(device, async (transaction) => {
        await useOneTimeToken(database, { kind: "setup", token }, transaction);
        if (await hasAdmin(database, transaction)) throw tokenInvalid();
        const id = await storeAccount({ ...account, role: "admin" }, transaction);
        const origin = { source: "http", actorId: id, address } as const;
        await recordAction(database, origin, { action: "setup", target: { type: "user", id } }, transaction);
        return { id, passwordHash: account.passwordHash };
      }),
    );
    if (!grant) throw tokenInvalid();
    return grant;
  }
}
