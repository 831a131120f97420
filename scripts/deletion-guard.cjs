"use strict";

// Whether a command of sequelize-cli that deletes data has to be confirmed. For `npm run db:*` and for sequelize-cli itself,
// which reads CommonJS.

const { Client } = require("pg");
const { parse } = require("pg-connection-string");

/** Set by `npm run db:*` for sequelize-cli once the deletion is confirmed. */
const confirmedVariable = "MESSENGER_DELETION_CONFIRMED";

const destructive = /^db:(reset|drop|migrate:undo|seed:undo)/;

/** A server reports itself every two seconds; see `db/queries/processes`. */
const liveServer =
  "SELECT FROM server_processes WHERE seen_at > clock_timestamp() - interval '10 s' ORDER BY id LIMIT 1";
const timeoutMs = 5000;

/**
 * The command among these arguments that deletes data; undefined if there is none.
 * @param {readonly string[]} args
 * @returns {string | undefined}
 */
const destructiveCommand = (args) => args.find((arg) => destructive.test(arg));

/** @param {string | null | undefined} host a name, an address or the folder of a socket */
const isLocal = (host) => !host || host.startsWith("/") || /^(localhost|127(\.\d+){3}|\[?::1\]?)$/i.test(host);

/**
 * Whether a server uses the database now. If it cannot be asked, the command cannot delete anything either.
 * @param {string} url
 */
async function hasLiveServer(url) {
  const client = new Client({
    connectionString: url,
    connectionTimeoutMillis: timeoutMs,
    query_timeout: timeoutMs,
  });
  client.on("error", () => {});
  try {
    await client.connect();
    return (await client.query(liveServer)).rowCount === 1;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => {});
  }
}

/**
 * Says why deleting has to be confirmed, as the end of "deletes data"; undefined if it does not.
 * @param {Readonly<Record<string, string | undefined>>} env
 * @returns {Promise<string | undefined>}
 */
async function reasonToConfirm(env) {
  if (/^\s*production\s*$/i.test(env.NODE_ENV ?? "")) return "in production (NODE_ENV=production)";
  const url = env.DATABASE_URL;
  if (!url) return undefined;
  const { host, database } = parse(url);
  if (!isLocal(host)) return `on another machine (${host}, database ${database})`;
  return (await hasLiveServer(url)) ? `in a database that a server is using (${database})` : undefined;
}

/** Ends sequelize-cli, unless its command deletes nothing, is confirmed, or need not be. */
async function guardSequelizeCli() {
  const command = destructiveCommand(process.argv.slice(2));
  if (command === undefined || process.env[confirmedVariable] !== undefined) return;
  const reason = await reasonToConfirm(process.env);
  if (reason !== undefined) refuse(command, reason);
}

/** The same for options that name another database than DATABASE_URL. Called before sequelize-cli reads them. */
function guardOtherDatabases() {
  const args = process.argv.slice(2);
  const command = destructiveCommand(args);
  if (command === undefined || process.env[confirmedVariable] !== undefined) return;
  if (args.some((arg) => /^--?(url|config)(=|$)/.test(arg))) refuse(command, "in a database other than DATABASE_URL");
}

/**
 * @param {string} command
 * @param {string} reason
 */
function refuse(command, reason) {
  process.stderr.write(
    `${command} deletes data ${reason}. To confirm, run: npx tsx scripts/database.ts ${command} --yes-delete-everything\n`,
  );
  process.exit(1);
}

module.exports = { confirmedVariable, destructiveCommand, reasonToConfirm, guardSequelizeCli, guardOtherDatabases };
