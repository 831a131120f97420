import { fromCommandLine } from "../../domain/administration.ts";
import { requireByEmail } from "../../services/accounts/find-by-email.ts";
import { defineCommand } from "../command.ts";

export const deleteUser = defineCommand({
  name: "users delete",
  arguments: "<email>",
  summary: "Deletes an account permanently. Its sockets are closed within two seconds.",
  options: [{ flags: "--erase", description: "also deletes all messages of the user, while a server runs" }],
  confirm: ({ email, erase }) =>
    `This deletes the account ${email}${erase ? " and all its messages" : ""} permanently.`,
  needs: "database",
  async run({ administration }, { email, erase: isErased }) {
    const { id } = await requireByEmail(String(email));
    const erase = isErased === true;
    await administration.users.delete(fromCommandLine, id, { erase });
    const messages = erase ? "Its messages are being deleted, as long as a server runs." : "Its messages stay.";
    return { text: `The account ${email} is deleted. ${messages}\n`, data: { id, erase } };
  },
});
