import { recordAction } from "../../db/queries/administration/audit.ts";
import { raiseIdsOfNewEpoch, readEpoch, renewEpoch } from "../../db/queries/epoch.ts";
import { fromCommandLine } from "../../domain/administration.ts";
import { defineCommand } from "../command.ts";

export const newEpoch = defineCommand({
  name: "new-epoch",
  summary:
    "Declares that the data was restored where the server cannot see it, such as from a snapshot of its disk. All clients resume from scratch.",
  needs: "database",
  async run({ database }) {
    await database.transaction(async (transaction) => {
      await renewEpoch(database, transaction);
      await raiseIdsOfNewEpoch(database, transaction);
      await recordAction(database, fromCommandLine, { action: "data.new-epoch" }, transaction);
    });
    const epoch = await readEpoch(database);
    return { text: `The new epoch is ${epoch}\nAll clients reconnect and read their chats anew.\n`, data: { epoch } };
  },
});
