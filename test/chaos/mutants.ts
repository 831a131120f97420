import { cp, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import pg from "pg";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** A server with one deliberate fault: the checker has to notice, or it proves nothing. */
export interface Mutant {
  name: string;
  /** Which file of `dist` is changed, and how. */
  file: string;
  replace: [from: string, to: string];
}

export const mutants: readonly Mutant[] = [
  {
    name: "acknowledges before the commit",
    file: "services/message-writer.js",
    replace: [
      "return verdicts;\n        });",
      "for (const [send, outcome] of verdicts.outcomes) send.settle(outcome);\n            return verdicts;\n        });",
    ],
  },
  {
    name: "pushes before the commit",
    file: "services/chat-log.js",
    replace: ["await transaction.commit();", "await changes.announce();\n            await transaction.commit();"],
  },
  {
    name: "catches up by the serial id instead of the version",
    file: "db/queries/sync.js",
    replace: [
      "version > wanted.after_version",
      "id > (SELECT coalesce(max(id), 0) FROM messages AS before WHERE before.chat_id = wanted.chat_id AND before.version <= wanted.after_version)",
    ],
  },
  {
    name: "does not hold pushes back during a sync",
    file: "ws/connection.js",
    replace: ["hold(origin) {", "hold() {\n        return () => { };\n    }\n    neverHold(origin) {"],
  },
  {
    name: "looks up the members before it has the lock",
    file: "services/chat-log.js",
    replace: [
      "const chats = await lockChats(this.database, chatIds, { ...options, transaction: this.transaction });\n        const members = await membersOf(this.database, chats.map(({ id }) => id), this.transaction);",
      "const members = await membersOf(this.database, chatIds, this.transaction);\n        const chats = await lockChats(this.database, chatIds, { ...options, transaction: this.transaction });",
    ],
  },
];

/** Makes a copy of the built server with the fault in it. */
export async function makeMutant({
  name,
  file,
  replace: [from, to],
}: Mutant): Promise<{ entry: string; remove(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), "messenger-mutant-"));
  await cp(join(root, "dist"), join(folder, "dist"), { recursive: true });
  for (const shared of ["node_modules", "migrations", "package.json"])
    await symlink(join(root, shared), join(folder, shared));
  const path = join(folder, "dist", file);
  const source = await readFile(path, "utf8");
  if (source.split(from).length !== 2) throw new Error(`the mutant that ${name} no longer fits ${file}`);
  await writeFile(
    path,
    source.replace(from, () => to),
  );
  return { entry: join(folder, "dist/main.js"), remove: () => rm(folder, { recursive: true, force: true }) };
}

/**
 * Widens the moments in which a fault shows: the database sleeps now and then before it inserts messages, while the
 * locks are held, and before it commits them.
 */
export async function widenWindows(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(`
      CREATE FUNCTION nap() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        IF random() < 0.3 THEN PERFORM pg_sleep(random() * 0.05); END IF;
        RETURN NULL;
      END $$;
      CREATE TRIGGER nap_before_insert BEFORE INSERT ON messages FOR EACH STATEMENT EXECUTE FUNCTION nap();
      CREATE CONSTRAINT TRIGGER nap_before_commit AFTER INSERT ON messages
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION nap();`);
  } finally {
    await client.end();
  }
}
