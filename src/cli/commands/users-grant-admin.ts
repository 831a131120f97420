import { fromCommandLine } from "../../domain/administration.ts";
import { requireByEmail } from "../../services/accounts/find-by-email.ts";
import { defineCommand } from "../command.ts";

export const grantAdmin = defineCommand({
  name: "users grant-admin",
  arguments: "<email>",
  summary: "Makes a user an administrator of the server.",
  needs: "database",
  async run({ administration }, { email }) {
    const { id } = await requireByEmail(String(email));
    const user = await administration.users.update(fromCommandLine, id, { role: "admin" });
    return { text: `${email} is an administrator.\n`, data: user };
  },
});
