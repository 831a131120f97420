import type { Database } from "../../db/connect.ts";
import { hasAdmin } from "../../db/queries/administration/admins.ts";
import { AppError } from "../../errors.ts";
import { issueOneTimeToken } from "../accounts/one-time-tokens.ts";
import type { MakePageLink } from "../page-links.ts";

/** The link with which the first administrator creates their account. */
export class SetupLink {
  constructor(private readonly options: { database: Database; makeLink: MakePageLink }) {}

  /** Whether the server has no administrator. */
  async isNeeded(): Promise<boolean> {
    return !(await hasAdmin(this.options.database));
  }

  /**
   * Makes the link; earlier ones stop working.
   * @throws AppError of kind "conflict" if there is an administrator
   */
  make(): Promise<{ url: string; expiresAt: Date }> {
    const { database, makeLink } = this.options;
    return database.transaction(async (transaction) => {
      if (await hasAdmin(database, transaction)) {
        throw new AppError("conflict", "There is an administrator already. Make others with: users grant-admin EMAIL");
      }
      const { token, expiresAt } = await issueOneTimeToken(database, { kind: "setup" }, transaction);
      return { url: makeLink("setup", token), expiresAt };
    });
  }
}
