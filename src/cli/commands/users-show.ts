import { accountById } from "../../db/queries/accounts/account-list.ts";
import { noSuchUser } from "../../domain-errors.ts";
import { requireByEmail } from "../../services/accounts/find-by-email.ts";
import { defineCommand } from "../command.ts";

export const showUser = defineCommand({
  name: "users show",
  arguments: "<email>",
  summary: "Shows an account.",
  needs: "database",
  async run({ database }, { email }) {
    const { id } = await requireByEmail(String(email));
    const account = await accountById(database, id);
    // Deleted meanwhile.
    if (!account) throw noSuchUser();
    const lines = Object.entries(account).map(([name, value]) => {
      const shown = value instanceof Date ? value.toISOString() : (value ?? "-");
      return `${name.padEnd(12)} ${shown}\n`;
    });
    return { text: lines.join(""), data: account };
  },
});
