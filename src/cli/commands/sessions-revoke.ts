import { fromCommandLine } from "../../domain/administration.ts";
import { requireByEmail } from "../../services/accounts/find-by-email.ts";
import { defineCommand } from "../command.ts";

export const revokeSessions = defineCommand({
  name: "sessions revoke",
  arguments: "<email>",
  summary: "Ends all sessions of an account. Its sockets are closed within two seconds.",
  needs: "database",
  async run({ administration }, { email }) {
    const { id } = await requireByEmail(String(email));
    const count = await administration.users.revokeSessions(fromCommandLine, id);
    return { text: `${count} ${count === 1 ? "session has" : "sessions have"} ended.\n`, data: { ended: count } };
  },
});
