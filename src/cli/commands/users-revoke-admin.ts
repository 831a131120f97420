import { fromCommandLine } from "../../domain/administration.ts";
import { requireByEmail } from "../../services/accounts/find-by-email.ts";
import { defineCommand } from "../command.ts";

export const revokeAdmin = defineCommand({
  name: "users revoke-admin",
  arguments: "<email>",
  summary: "Makes an administrator an ordinary user again.",
  needs: "database",
  async run({ administration }, { email }) {
    const { id } = await requireByEmail(String(email));
    const user = await administration.users.update(fromCommandLine, id, { role: "user" });
    return { text: `${email} is no administrator any more.\n`, data: user };
  },
});
