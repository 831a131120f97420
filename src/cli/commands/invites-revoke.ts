import { inviteId } from "../../contract/invites.ts";
import { check, closedObject } from "../../contract/schema.ts";
import { fromCommandLine } from "../../domain/administration.ts";
import { revokeInvite as revoke } from "../../services/accounts/issue-invite.ts";
import { defineCommand } from "../command.ts";

const input = closedObject({ id: inviteId() });

export const revokeInvite = defineCommand({
  name: "invites revoke",
  arguments: "<id>",
  summary: "Revokes an invite. Accounts that were created with it stay.",
  needs: "database",
  async run({ database }, given) {
    const { id } = check(input, given, { label: "invite", convert: true });
    await revoke(database, fromCommandLine, { id, createdBy: undefined });
    return { text: `Invite ${id} is revoked.\n`, data: { id } };
  },
});
