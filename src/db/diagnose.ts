import { connectForMigrations } from "./connect.ts";
import { type MigrationState, readMigrationState } from "./migrate.ts";
import { findPooling, type Pooling } from "./pooler.ts";
import { readOnlyReason } from "./queries/availability.ts";
import { countProcesses, countUnsearchableChats, readServerFacts, type ServerFacts } from "./queries/diagnosis.ts";
import { inspect } from "./queries/inspection.ts";
import { selectOn } from "./select.ts";

/** What is found in a database and its server. */
export interface Diagnosis extends ServerFacts {
  pooling: Pooling;
  lacksTimeouts: boolean;
  /** Why the database cannot be written. */
  readOnlyReason: string | undefined;
  /** Undefined if there is no messenger in the database yet, or its role may not know. */
  migrations: MigrationState | undefined;
  /** The processes that use the database. */
  processes: { all: number; withRedis: number };
  /** Chats with messages that searches have not found for minutes. */
  unsearchableChats: number;
}

/**
 * Examines the database of a PostgreSQL server without changing it.
 * @throws Error if it cannot be opened; `rejectionOf` says what to do
 */
export async function diagnose(url: string): Promise<Diagnosis> {
  const pooling = await findPooling(url);
  const { isEmpty, lacksTimeouts } = await inspect(url);
  const database = connectForMigrations(url, { keepsSession: false });
  try {
    const facts = await readServerFacts(database);
    const isReadable = !isEmpty && facts.forbiddenTables.length === 0;
    const migrations = isReadable ? await readMigrationState(database) : undefined;
    const has = (migration: string) => isReadable && !migrations?.pending.some((name) => name.includes(migration));
    return {
      ...facts,
      pooling,
      lacksTimeouts,
      readOnlyReason: await readOnlyReason(selectOn(database)),
      migrations,
      processes: has("create-server-processes") ? await countProcesses(database) : { all: 0, withRedis: 0 },
      unsearchableChats: has("120000-search") ? await countUnsearchableChats(database) : 0,
    };
  } finally {
    await database.close();
  }
}
