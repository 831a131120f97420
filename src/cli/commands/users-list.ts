import { listAccounts } from "../../db/queries/accounts/account-list.ts";
import { defineCommand, textTable } from "../command.ts";

const pageSize = 1000;

export const listUsers = defineCommand({
  name: "users list",
  summary: "Lists the accounts, the oldest first.",
  options: [{ flags: "--search <text>", description: "only those whose e-mail address or name contains this" }],
  needs: "database",
  async run({ database }, { search }) {
    const accounts = [];
    for (let after = 0; ; ) {
      const page = await listAccounts(database, {
        search: typeof search === "string" ? search : "",
        after,
        limit: pageSize,
      });
      accounts.push(...page);
      const last = page.at(-1);
      if (!last || page.length < pageSize) break;
      after = last.id;
    }
    const text = textTable(
      ["id", "e-mail", "name", "created", "last seen", "sessions"],
      accounts.map(({ id, email, firstName, lastName, createdAt, lastSeenAt, sessions }) => [
        ...[id, email, [firstName, lastName].filter(Boolean).join(" "), createdAt.toISOString().slice(0, 10)],
        ...[lastSeenAt?.toISOString().slice(0, 16).replace("T", " ") ?? "never", sessions],
      ]),
    );
    return { text, data: { data: accounts } };
  },
});
