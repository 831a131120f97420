import { cp, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { onDatabase } from "../support/on-database.ts";
import { delayInsertsAndCommits } from "./delays.ts";
import { type Edit, type Mutant, sendMessages } from "./mutants.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** Applied to every server of these runs: sometimes delays responses and pushes after the commit. */
const delays: readonly Edit[] = [
  {
    in: "writes/chat-transaction.js",
    from: "return { result, changes: tx.changes() };",
    to: "await nap();\n            return { result, changes: tx.changes() };",
  },
  { in: "db/prepared.js", from: "return rows;", to: "await nap();\n        return rows;" },
];
const delayFunction = `
const nap = () => new Promise((resolve) => Math.random() < 0.3 ? setTimeout(resolve, Math.random() * 30) : resolve());
`;

/** Purges deleted groups right after the next start, instead of after an hour, which no run lasts. */
const earlyPurge: Edit = { in: "jobs/purge-ended-chats.js", from: "60 * 60_000", to: "1000" };

export interface MutantServer {
  entry: string;
  /** Applies the changes of the database, after the first start. */
  prepare(url: string): Promise<void>;
  remove(): Promise<void>;
}

/** Copies the built server, with delays and with the given fault, if any. */
export async function buildServer(
  { edits, sql = "" }: Pick<Mutant, "edits" | "sql"> = { edits: [] },
): Promise<MutantServer> {
  const folder = await mkdtemp(join(tmpdir(), "messenger-mutant-"));
  const dist = join(folder, "dist");
  await cp(join(root, "dist"), dist, { recursive: true });
  for (const shared of ["node_modules", "migrations", "package.json"])
    await symlink(join(root, shared), join(folder, shared));
  for (const edit of [...delays, earlyPurge, ...edits.filter((one) => one.in !== sendMessages)]) {
    const path = join(dist, edit.in);
    await writeFile(path, applyEdit(edit, await readFile(path, "utf8")));
  }
  for (const path of new Set(delays.map((edit) => join(dist, edit.in)))) {
    await writeFile(path, (await readFile(path, "utf8")) + delayFunction);
  }
  return {
    entry: join(dist, "main.js"),
    prepare: async (url) => {
      await delayInsertsAndCommits(url);
      await changeDatabase(url, { edits, sql });
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

/** Replaces the only occurrence. @throws Error unless there is exactly one */
export function applyEdit({ in: target, from, to }: Edit, source: string): string {
  if (source.split(from).length !== 2) throw new Error(`a mutant no longer applies to ${target}: ${from}`);
  return source.replace(from, () => to);
}

function changeDatabase(url: string, { edits, sql }: Required<Pick<Mutant, "edits" | "sql">>): Promise<void> {
  return onDatabase(url, async (client) => {
    const { rows } = await client.query(
      "SELECT pg_get_functiondef('send_messages(bigint[], bigint[], bigint[], text[], bigint[], text[])'::regprocedure) AS source",
    );
    const functionEdits = edits.filter((edit) => edit.in === sendMessages);
    await client.query(functionEdits.reduce((source, edit) => applyEdit(edit, source), rows[0].source));
    await client.query(sql);
  });
}
