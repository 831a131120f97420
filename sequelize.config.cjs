"use strict";

// For sequelize-cli, in every environment: the database is the one of DATABASE_URL. Without it the database is embedded
// and has to be started first, which is what `npm run db:migrate` and the other db: scripts do.

const dotenv = require("dotenv");
const { parse } = require("pg-connection-string");
const { guardSequelizeCli } = require("./scripts/deletion-guard.cjs");

dotenv.config({ quiet: true });
const url = process.env.DATABASE_URL;
if (!url) throw new Error("DATABASE_URL is not set. For the embedded database use the npm scripts: npm run db:migrate");

const { host, port, database, user, password, ssl } = parse(url);

const config = {
  dialect: "postgres",
  ...(host && { host }),
  ...(port && { port: Number(port) }),
  ...(database && { database }),
  ...(user && { username: user }),
  ...(password && { password }),
  ...(ssl && { dialectOptions: { ssl } }),
  logging: false,
  // The embedded database is one session, however many connections it is given: transactions of two would mix.
  pool: { max: 1 },
  // The server writes down its own migrations in the same table, under the same names.
  migrationStorage: "sequelize",
  migrationStorageTableName: "SequelizeMeta",
  // Not written down: the seeder may run again, and looks for itself what is there already.
  seederStorage: "none",
};

module.exports = async () => {
  await guardSequelizeCli();
  return config;
};
