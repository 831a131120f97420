import { accountById } from "../../db/queries/accounts/account-list.ts";
import { noSuchUser } from "../../domain-errors.ts";
import { findByEmail } from "../../services/accounts/find-by-email.ts";
import { defineCommand } from "../command.ts";

export const showUser = defineCommand({
  name: "users show",
  arguments: "<email>",
  summary: "Shows an account.",
  needs: "database",
  async run({ database }, { email }) {
    const user = await findByEmail(String(email));
    const account = user ? await accountById(database, user.id) : undefined;
    if (!account) throw noSuchUser();
    const lines = Object.entries(account).map(([name, value]) => {
      const shown = value instanceof Date ? value.toISOString() : (value ?? "-");
      return `${name.padEnd(12)} ${shown}\n`;
    });
    return { text: lines.join(""), data: account };
  },
});
