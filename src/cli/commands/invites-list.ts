import { listInvites as readPage } from "../../db/queries/accounts/invites.ts";
import { defineCommand, textTable } from "../command.ts";

const pageSize = 1000;

export const listInvites = defineCommand({
  name: "invites list",
  summary: "Lists the invites, the newest first.",
  needs: "database",
  async run({ database }) {
    const invites = [];
    for (let before: number | undefined; ; ) {
      const page = await readPage(database, { createdBy: undefined, before, limit: pageSize });
      invites.push(...page);
      before = page.at(-1)?.id;
      if (page.length < pageSize) break;
    }
    const minute = (time: Date) => time.toISOString().slice(0, 16).replace("T", " ");
    const text = textTable(
      ["id", "created by", "e-mail", "groups", "uses", "expires", "revoked"],
      invites.map(({ id, createdBy, email, groupIds, uses, maxUses, expiresAt, revokedAt }) => [
        ...[id, createdBy ?? "command line", email ?? "any", groupIds.join(" ")],
        ...[`${uses} of ${maxUses}`, minute(expiresAt), revokedAt && minute(revokedAt)],
      ]),
    );
    return { text, data: { data: invites } };
  },
});
