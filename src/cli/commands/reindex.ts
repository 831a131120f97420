import { clearTexts } from "../../db/queries/search/text-index.ts";
import { defineCommand } from "../command.ts";

export const reindex = defineCommand({
  name: "reindex",
  summary: "Has all messages indexed for search anew, by the running servers or after the next start.",
  needs: "database",
  async run({ database }) {
    await clearTexts(database);
    return {
      text: "The search index is empty. Running servers fill it again; until then, searches find less.\n",
      data: {},
    };
  },
});
