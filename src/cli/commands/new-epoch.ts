import { fromCommandLine } from "../../domain/administration.ts";
import { beginEpoch } from "../../services/administration/maintenance.ts";
import { defineCommand } from "../command.ts";

export const newEpoch = defineCommand({
  name: "new-epoch",
  summary:
    "Declares that the data was restored where the server cannot see it, such as from a snapshot of its disk. All clients resume from scratch.",
  needs: "database",
  async run({ database }) {
    const epoch = await beginEpoch(database, fromCommandLine);
    return { text: `The new epoch is ${epoch}\nAll clients reconnect and read their chats anew.\n`, data: { epoch } };
  },
});
