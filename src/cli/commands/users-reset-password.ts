import { resetPassword } from "../../services/accounts/password-reset.ts";
import { Passwords } from "../../services/accounts/passwords.ts";
import { defineCommand } from "../command.ts";

export const resetUserPassword = defineCommand({
  name: "users reset-password",
  arguments: "<email>",
  summary: "Sets a new random password, which is printed once, and ends all sessions of the account.",
  needs: "database",
  async run({ config, database }, { email }) {
    const password = await resetPassword({ database, passwords: new Passwords(config.passwords) }, String(email));
    return {
      text: `The new password of ${email} is ${password}\nAll sessions of this account have ended.\n`,
      data: { email, password },
    };
  },
});
