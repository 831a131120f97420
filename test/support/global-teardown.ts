import { removeTemplate } from "./databases.ts";
import { checkRecording } from "./leak-scan.ts";

/** Removes the database template, and fails the run if a server has leaked a secret. */
export default async function tearDown(): Promise<void> {
  await removeTemplate();
  checkRecording();
}
