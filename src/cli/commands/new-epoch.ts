import { raiseIdsOfNewEpoch, readEpoch, renewEpoch } from "../../db/queries/epoch.ts";
import { defineCommand } from "../command.ts";

export const newEpoch = defineCommand({
  name: "new-epoch",
  summary:
    "Declares that the data was restored where the server cannot see it, such as from a snapshot of its disk. All clients resume from scratch.",
  needs: "database",
  async run({ database }) {
    await renewEpoch(database);
    await raiseIdsOfNewEpoch(database);
    const epoch = await readEpoch(database);
    return { text: `The new epoch is ${epoch}\nAll clients reconnect and read their chats anew.\n`, data: { epoch } };
  },
});
