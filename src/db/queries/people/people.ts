import type { Person } from "../../../domain/person.ts";
import type { Database } from "../../connect.ts";
import { select } from "../../select.ts";
import { type AvatarRow, withAvatar } from "../avatars/avatars.ts";
import { isBlockedBy } from "./blocked-people.ts";

/** A search result and its position, from which the next page continues. */
export interface FoundPerson {
  id: number;
  firstName: string;
  lastName: string | null;
  avatarId?: string;
  position: Position;
}

/** A position in the search results: the part of the ranking and the sort keys in it. */
export interface Position {
  rank: Rank;
  firstKey: string;
  lastKey: string;
  id: number;
}

/** SQL: `u` has not deleted the account, and does not block the caller: then it does not exist for the caller. */
const isShown = `u.deleted_at IS NULL
            AND NOT ${isBlockedBy("$callerId", "u.id")}`;

/** Returns those of these people whom the caller may find, in the order of the ids. Index: the primary key of users. */
export async function peopleById(
  database: Database,
  { callerId, ids }: { callerId: number; ids: readonly number[] },
): Promise<Person[]> {
  const rows = await select<AvatarRow<Person>>(
    database,
    `SELECT u.id, u.first_name AS "firstName", u.last_name AS "lastName", u.avatar_id AS "avatarId"
       FROM unnest($ids::bigint[]) WITH ORDINALITY AS wanted (id, place)
       JOIN users AS u ON u.id = wanted.id
      WHERE ${isShown}
      ORDER BY wanted.place`,
    { callerId, ids },
  );
  return rows.map(withAvatar);
}

/** Returns the people with ids after this one whom the caller may find, by rising id. Index: the primary key of users. */
export async function peopleAfter(
  database: Database,
  page: { callerId: number; after: number; limit: number },
): Promise<Person[]> {
  const rows = await select<AvatarRow<Person>>(
    database,
    `SELECT u.id, u.first_name AS "firstName", u.last_name AS "lastName", u.avatar_id AS "avatarId"
       FROM users AS u
      WHERE u.id > $after AND ${isShown}
      ORDER BY u.id
      LIMIT $limit`,
    page,
  );
  return rows.map(withAvatar);
}

/** The parts of the ranking; see `peopleByName`. */
export const ranks = ["both", "first", "last"] as const;
type Rank = (typeof ranks)[number];

interface FoundRow {
  id: number;
  firstName: string;
  lastName: string | null;
  avatarId: string | null;
  firstKey: string;
  lastKey: string;
}

/** The search text, normalised like the name keys. */
export interface NameSearch {
  /** The complete search text. */
  whole: string;
  /** The text split in two at each of its spaces: "anna k" can be the beginning of a first and of a last name. */
  pairs: readonly { first: string; last: string }[];
}

/**
 * Finds people by name prefix, in three ranked parts: first and last name start with the two halves of the text, the
 * first name starts with the whole text, the last name does. Exact names come before longer ones in a part, in index
 * order. Each part is one range of an index, read from the end of the previous page.
 * Indexes: users_by_first_name, users_by_last_name.
 */
export async function peopleByName(
  database: Database,
  search: NameSearch,
  page: { callerId: number; after: Position | undefined; limit: number },
): Promise<FoundPerson[]> {
  const { callerId, after, limit } = page;
  const found: FoundPerson[] = [];
  for (const rank of ranks.slice(after ? ranks.indexOf(after.rank) : 0)) {
    if (found.length === limit || (rank === "both" && search.pairs.length === 0)) continue;
    const from = after?.rank === rank ? after : undefined;
    const rows = await readPart(database, search, { callerId, rank, from, limit: limit - found.length });
    for (const { firstKey, lastKey, ...person } of rows) {
      found.push({ ...withAvatar(person), position: { rank, firstKey, lastKey, id: person.id } });
    }
  }
  return found;
}

/** Upper bound of all texts with this prefix, in the order of collation "C". */
const upperBound = (prefix: string): string => `${prefix}\u{10ffff}`;

const hasPrefix = (column: string, name: string) => `(${column} >= $${name} AND ${column} < $${name}End)`;

function readPart(
  database: Database,
  { whole, pairs }: NameSearch,
  { callerId, rank, from, limit }: { callerId: number; rank: Rank; from: Position | undefined; limit: number },
): Promise<FoundRow[]> {
  const pairConditions = pairs.map(
    (_pair, index) =>
      `(${hasPrefix("u.first_name_key", `first${index}`)} AND ${hasPrefix("u.last_name_key", `last${index}`)})`,
  );
  // The first name of every pair starts with that of the first pair, so one range of the index covers all pairs.
  const both =
    pairs.length > 0 ? `(${hasPrefix("u.first_name_key", "first0")} AND (${pairConditions.join(" OR ")}))` : "false";
  const conditions: Record<Rank, string> = {
    both,
    first: `${hasPrefix("u.first_name_key", "whole")} AND NOT ${both}`,
    last: `${hasPrefix("u.last_name_key", "whole")} AND NOT ${hasPrefix("u.first_name_key", "whole")} AND NOT ${both}`,
  };
  const [order, fromKeys] =
    rank === "last"
      ? ["u.last_name_key, u.first_name_key, u.id", "$lastKey, $firstKey, $id"]
      : ["u.first_name_key, u.last_name_key, u.id", "$firstKey, $lastKey, $id"];
  return select<FoundRow>(
    database,
    `SELECT u.id, u.first_name AS "firstName", u.last_name AS "lastName", u.avatar_id AS "avatarId",
            u.first_name_key AS "firstKey", u.last_name_key AS "lastKey"
       FROM users AS u
      WHERE ${isShown} AND ${conditions[rank]} ${from ? `AND (${order}) > (${fromKeys})` : ""}
      ORDER BY ${order}
      LIMIT $limit`,
    {
      whole,
      wholeEnd: upperBound(whole),
      ...Object.fromEntries(
        pairs.flatMap(({ first, last }, index) => [
          [`first${index}`, first],
          [`first${index}End`, upperBound(first)],
          [`last${index}`, last],
          [`last${index}End`, upperBound(last)],
        ]),
      ),
      callerId,
      ...(from && { firstKey: from.firstKey, lastKey: from.lastKey, id: from.id }),
      limit,
    },
  );
}
