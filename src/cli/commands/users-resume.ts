import { fromCommandLine } from "../../domain/administration.ts";
import { requireByEmail } from "../../services/accounts/find-by-email.ts";
import { defineCommand } from "../command.ts";

export const resumeUser = defineCommand({
  name: "users resume",
  arguments: "<email>",
  summary: "Lets a suspended account log in again.",
  needs: "database",
  async run({ administration }, { email }) {
    const { id } = await requireByEmail(String(email));
    const user = await administration.users.update(fromCommandLine, id, { suspended: false });
    return { text: `The account ${email} can log in.\n`, data: user };
  },
});
