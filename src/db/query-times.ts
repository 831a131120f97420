import type { Sequelize } from "sequelize";

/** Is given the name of each statement that has succeeded and its time, the wait for a connection included. */
export type ObserveQuery = (name: string, seconds: number) => void;

const observers = new WeakMap<Sequelize, ObserveQuery>();

/** Tables without a model. */
const furtherTables = ["server_state", "server_processes", "SequelizeMeta"];

/** Has the times of all statements of a database observed. */
export function observeQueries(database: Sequelize, observe: ObserveQuery): void {
  observers.set(database, observe);
  const tables = new Set([
    ...database.modelManager.models.map((model) => String(model.getTableName())),
    ...furtherTables,
  ]);
  const target: object = database;
  const query: (...given: unknown[]) => Promise<unknown> = Reflect.get(target, "query");
  const observed = async (...given: unknown[]): Promise<unknown> => {
    const startedAt = performance.now();
    const result = await Reflect.apply(query, target, given);
    const [sql] = given;
    observe(queryName(String(typeof sql === "string" ? sql : Object(sql).query), tables), secondsSince(startedAt));
    return result;
  };
  Object.defineProperty(target, "query", { value: observed, writable: true, configurable: true });
}

/** Returns a function to be called when a statement that bypasses Sequelize has succeeded; undefined if nobody observes. */
export function observeQuery(database: Sequelize, name: string): (() => void) | undefined {
  const observe = observers.get(database);
  if (!observe) return undefined;
  const startedAt = performance.now();
  return () => observe(name, secondsSince(startedAt));
}

const secondsSince = (startedAt: number): number => (performance.now() - startedAt) / 1000;

/** Sequelize writes the values of models into the statement. */
const literals = /'(?:[^']|'')*'/g;
const write = /(?<!\b(?:FOR|DO) )\b(INSERT INTO|UPDATE|DELETE FROM)\s+"?(\w+)/gi;
const read = /\b(?:FROM|JOIN)\s+"?(\w+)/gi;
const verbs: ReadonlySet<string> = new Set(["select", "set", "start", "commit", "rollback", "savepoint", "release"]);

/**
 * The name of a statement in the metrics: what it does, and the first table that it names. Nothing else of it, since it may
 * contain values that clients have chosen.
 */
export function queryName(sql: string, tables: ReadonlySet<string>): string {
  const text = sql.replace(literals, "''");
  for (const [, verb = "", table = ""] of text.matchAll(write)) {
    if (tables.has(table)) return `${verb.split(" ")[0]?.toLowerCase()} ${table}`;
  }
  for (const [, table = ""] of text.matchAll(read)) if (tables.has(table)) return `select ${table}`;
  const verb = /^\s*(\w+)/.exec(text)?.[1]?.toLowerCase() ?? "";
  return verbs.has(verb) ? verb : "other";
}
