import type { Database } from "../../connect.ts";
import { select } from "../../select.ts";

/** Someone found, with the place where the next page goes on. */
export interface FoundPerson {
  id: number;
  firstName: string;
  lastName: string | null;
  place: Place;
}

/** Where a list of people stands: which part of the ranking, and behind whom in it. */
export interface Place {
  rank: Rank;
  firstKey: string;
  lastKey: string;
  id: number;
}

/** The parts of the ranking; see `peopleByName`. */
export const ranks = ["both", "first", "last"] as const;
type Rank = (typeof ranks)[number];

interface FoundRow {
  id: number;
  firstName: string;
  lastName: string | null;
  firstKey: string;
  lastKey: string;
}

/** What is searched for, in the form of the keys. */
export interface NameSearch {
  /** Everything that was typed. */
  whole: string;
  /** The same in two, parted at each of its spaces: "anna k" is also the beginning of a first and of a last name. */
  pairs: readonly { first: string; last: string }[];
}

/**
 * People by the beginning of a name, in three parts: whose first and last name two words begin, whose first name the
 * whole begins, whose last name it begins. Within a part an exact name comes before longer ones, since that is where
 * the index has it. Each part is one range of an index, read from where the page before ended.
 * Indexes: users_by_first_name, users_by_last_name.
 */
export async function peopleByName(
  database: Database,
  search: NameSearch,
  page: { after: Place | undefined; limit: number },
): Promise<FoundPerson[]> {
  const { after, limit } = page;
  const found: FoundPerson[] = [];
  for (const rank of ranks.slice(after ? ranks.indexOf(after.rank) : 0)) {
    if (found.length === limit || (rank === "both" && search.pairs.length === 0)) continue;
    const from = after?.rank === rank ? after : undefined;
    const rows = await partOf(database, search, { rank, from, limit: limit - found.length });
    for (const { firstKey, lastKey, ...person } of rows) {
      found.push({ ...person, place: { rank, firstKey, lastKey, id: person.id } });
    }
  }
  return found;
}

/** The text that comes after every text beginning with this one, in the order of collation "C". */
const endOf = (prefix: string): string => `${prefix}\u{10ffff}`;

const begins = (column: string, name: string) => `(${column} >= $${name} AND ${column} < $${name}End)`;

function partOf(
  database: Database,
  { whole, pairs }: NameSearch,
  { rank, from, limit }: { rank: Rank; from: Place | undefined; limit: number },
): Promise<FoundRow[]> {
  const eachPair = pairs.map(
    (_pair, at) => `(${begins("u.first_name_key", `first${at}`)} AND ${begins("u.last_name_key", `last${at}`)})`,
  );
  // Every other pair's first name begins with that of the first pair, which says it as one range of the index.
  const both = pairs.length > 0 ? `(${begins("u.first_name_key", "first0")} AND (${eachPair.join(" OR ")}))` : "false";
  const conditions: Record<Rank, string> = {
    both,
    first: `${begins("u.first_name_key", "whole")} AND NOT ${both}`,
    last: `${begins("u.last_name_key", "whole")} AND NOT ${begins("u.first_name_key", "whole")} AND NOT ${both}`,
  };
  const [order, fromKeys] =
    rank === "last"
      ? ["u.last_name_key, u.first_name_key, u.id", "$lastKey, $firstKey, $id"]
      : ["u.first_name_key, u.last_name_key, u.id", "$firstKey, $lastKey, $id"];
  return select<FoundRow>(
    database,
    `SELECT u.id, u.first_name AS "firstName", u.last_name AS "lastName",
            u.first_name_key AS "firstKey", u.last_name_key AS "lastKey"
       FROM users AS u
      WHERE u.deleted_at IS NULL AND ${conditions[rank]} ${from ? `AND (${order}) > (${fromKeys})` : ""}
      ORDER BY ${order}
      LIMIT $limit`,
    {
      whole,
      wholeEnd: endOf(whole),
      ...Object.fromEntries(
        pairs.flatMap(({ first, last }, at) => [
          [`first${at}`, first],
          [`first${at}End`, endOf(first)],
          [`last${at}`, last],
          [`last${at}End`, endOf(last)],
        ]),
      ),
      ...(from && { firstKey: from.firstKey, lastKey: from.lastKey, id: from.id }),
      limit,
    },
  );
}
