import { removeTemplate } from "./databases.ts";
import { judgeEvidence } from "./leak-scan.ts";

/** Takes the template away, and fails the run when a server has told a secret. */
export default async function tearDown(): Promise<void> {
  await removeTemplate();
  judgeEvidence();
}
