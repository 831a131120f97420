import { defineCommand } from "../command.ts";

export const setupLink = defineCommand({
  name: "setup-link",
  summary: "Prints a link with which the first administrator creates their account. It works once, for 30 minutes.",
  needs: "database",
  async run({ administration }) {
    const { url, expiresAt } = await administration.setupLink.make();
    return { text: `${url}\n`, data: { url, expiresAt } };
  },
});
