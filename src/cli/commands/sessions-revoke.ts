import { endSessions } from "../../db/queries/accounts/sessions.ts";
import { requireByEmail } from "../../services/accounts/find-by-email.ts";
import { defineCommand } from "../command.ts";

export const revokeSessions = defineCommand({
  name: "sessions revoke",
  arguments: "<email>",
  summary: "Ends all sessions of an account. Its sockets are closed within two seconds.",
  needs: "database",
  async run({ database }, { email }) {
    const { id: userId } = await requireByEmail(String(email));
    const ended = await database.transaction((transaction) => endSessions(database, { userId }, transaction));
    const count = ended.length;
    return { text: `${count} ${count === 1 ? "session has" : "sessions have"} ended.\n`, data: { ended: count } };
  },
});
