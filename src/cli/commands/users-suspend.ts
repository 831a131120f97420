import { fromCommandLine } from "../../domain/administration.ts";
import { requireByEmail } from "../../services/accounts/find-by-email.ts";
import { defineCommand } from "../command.ts";

export const suspendUser = defineCommand({
  name: "users suspend",
  arguments: "<email>",
  summary: "Suspends an account: it cannot log in, its sessions end, and its sockets are closed within two seconds.",
  needs: "database",
  async run({ administration }, { email }) {
    const { id } = await requireByEmail(String(email));
    const user = await administration.users.update(fromCommandLine, id, { suspended: true });
    return { text: `The account ${email} is suspended. Resume it with: users resume ${email}\n`, data: user };
  },
});
