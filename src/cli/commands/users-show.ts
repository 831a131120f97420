import { requireByEmail } from "../../services/accounts/find-by-email.ts";
import { defineCommand } from "../command.ts";

export const showUser = defineCommand({
  name: "users show",
  arguments: "<email>",
  summary: "Shows an account.",
  needs: "database",
  async run({ administration }, { email }) {
    const { id } = await requireByEmail(String(email));
    const user = await administration.users.find(id);
    const lines = Object.entries(user).map(([name, value]) => {
      const shown = value instanceof Date ? value.toISOString() : (value ?? "-");
      return `${name.padEnd(12)} ${shown}\n`;
    });
    return { text: lines.join(""), data: user };
  },
});
