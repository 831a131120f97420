import { Transaction } from "sequelize";
import { connectForMigrations, type Database, longTransactionSettings } from "./connect.ts";

/** A transaction that sees the database as it was at one moment, whatever others write. */
export interface Snapshot {
  database: Database;
  transaction: Transaction;
}

/** Reads in one snapshot, on a connection of its own without timeouts. */
export async function readSnapshot<T>(url: string, read: (snapshot: Snapshot) => Promise<T>): Promise<T> {
  // Behind a pooler a session keeps nothing that is set, except in a transaction.
  const database = connectForMigrations(url, { keepsSession: false });
  try {
    const { REPEATABLE_READ } = Transaction.ISOLATION_LEVELS;
    return await database.transaction({ isolationLevel: REPEATABLE_READ }, async (transaction) => {
      await database.query(longTransactionSettings, { transaction });
      return read({ database, transaction });
    });
  } finally {
    await database.close();
  }
}
