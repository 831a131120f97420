import { isTransient, originalOf, reasonOf } from "./database-errors.ts";

/** Errors of a connection that need an administrator, by SQLSTATE or code, each with what to do. */
const remedies: Readonly<Record<string, string>> = {
  "28P01": "Check the user and the password in DATABASE_URL.",
  "28000":
    "Check the user in DATABASE_URL, and on the server that the role exists, has LOGIN, and is allowed by pg_hba.conf.",
  "3D000": "Create the database, or check the name in DATABASE_URL.",
  "42501":
    "Give the role of DATABASE_URL the rights it lacks: it must be able to connect, and to create tables in the schema.",
  ENOTFOUND: "Check the host in DATABASE_URL.",
  EACCES: "Check the rights on the socket that DATABASE_URL names.",
};

/** Errors of PgBouncer, which have the SQLSTATE of a lost connection, and errors of `pg` without a code. */
const remediesByMessage: readonly (readonly [RegExp, string])[] = [
  [/unsupported startup parameter/i, "Add the parameter to ignore_startup_parameters of PgBouncer."],
  [
    /no such (database|user)|auth(entication)? failed|password authentication/i,
    "Check DATABASE_URL and the configuration of PgBouncer.",
  ],
  [/SASL|client password must be a string|empty password/i, "Check the password in DATABASE_URL."],
  [
    /does not support SSL|certificate|self.signed|SSL|TLS/i,
    "Check sslmode in DATABASE_URL and the certificate of the server.",
  ],
];

/** How long an unknown host is looked for, in milliseconds: its name may be registered a little later than we start. */
const unknownHostTimeoutMs = 10_000;

function codeOf(error: unknown): string {
  const original = originalOf(error);
  if (typeof original === "object" && original !== null && "code" in original) return String(original.code);
  return error instanceof Error && error.cause !== undefined ? codeOf(error.cause) : "";
}

const remedyOf = (error: unknown): string | undefined =>
  remedies[codeOf(error)] ?? remediesByMessage.find(([pattern]) => pattern.test(reasonOf(error)))?.[1];

/** Whether a database that could not be opened may only not be there yet. @param elapsedMs since the start */
export function isWorthWaiting(error: unknown, elapsedMs: number): boolean {
  if (codeOf(error) === "ENOTFOUND") return elapsedMs < unknownHostTimeoutMs;
  return isTransient(error) && remedyOf(error) === undefined;
}

/** Why the database cannot be used, in words, and what to do if that is known. */
export const rejectionOf = (error: unknown): { reason: string; remedy: string | undefined } => ({
  reason: reasonOf(error).replace(/\.$/, ""),
  remedy: remedyOf(error),
});

/** Why the database cannot be used and what to do, in one line. */
export function describeRejection(error: unknown): string {
  const { reason, remedy } = rejectionOf(error);
  return `The database cannot be used: ${reason}.${remedy ? ` ${remedy}` : ""}`;
}
