import { fromCommandLine } from "../../domain/administration.ts";
import { requireByEmail } from "../../services/accounts/find-by-email.ts";
import { defineCommand } from "../command.ts";

export const resetUserPassword = defineCommand({
  name: "users reset-password",
  arguments: "<email>",
  summary: "Sets a new random password, which is printed once, and ends all sessions of the account.",
  needs: "database",
  async run({ administration }, { email }) {
    const { id } = await requireByEmail(String(email));
    const password = await administration.users.setRandomPassword(fromCommandLine, id);
    return {
      text: `The new password of ${email} is ${password}\nAll sessions of this account have ended.\n`,
      data: { email, password },
    };
  },
});
