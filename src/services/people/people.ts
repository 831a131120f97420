import { Op } from "sequelize";
import type { Database } from "../../db/connect.ts";
import { type NameSearch, type Position, peopleByName, ranks } from "../../db/queries/people/people.ts";
import type { Person } from "../../domain/person.ts";
import { noSuchUser } from "../../domain-errors.ts";
import { AppError } from "../../errors.ts";
import { User } from "../../models/index.ts";
import { nameKey } from "../../models/keys.ts";
import { findByEmail } from "../accounts/find-by-email.ts";

/** One page of a list. */
export interface Page<T> {
  data: T[];
  /** The cursor of the next page; null on the last page. */
  nextCursor: string | null;
}

const toPerson = ({ id, firstName, lastName }: User): Person => ({ id, firstName: firstName ?? "", lastName });
const attributes = ["id", "firstName", "lastName"];

/** Users as others can find them: names, never e-mail addresses. */
export class People {
  constructor(private readonly options: { database: Database }) {}

  /** Lists all users, the oldest accounts first, or with `search` the matching ones. */
  async list(input: {
    search?: string | undefined;
    limit: number;
    cursor?: string | undefined;
  }): Promise<Page<Person>> {
    const { search, limit, cursor } = input;
    if (search === undefined) return this.all(limit, cursor);
    if (search.includes("@")) return this.byEmail(search);
    return this.byName(search, limit, cursor);
  }

  async find(userId: number): Promise<Person> {
    const user = await User.findOne({ attributes, where: { id: userId, deletedAt: null } });
    if (!user) throw noSuchUser();
    return toPerson(user);
  }

  private async all(limit: number, cursor: string | undefined): Promise<Page<Person>> {
    const after = cursor === undefined ? 0 : readCursor(cursor, isId);
    const users = await User.findAll({
      attributes,
      where: { id: { [Op.gt]: after }, deletedAt: null },
      order: ["id"],
      limit: limit + 1,
    });
    return toPage(users.map(toPerson), limit, ({ id }) => id);
  }

  /** Matches complete addresses only, so that addresses cannot be guessed letter by letter. */
  private async byEmail(address: string): Promise<Page<Person>> {
    const user = await findByEmail(address.trim());
    return { data: user ? [toPerson(user)] : [], nextCursor: null };
  }

  private async byName(search: string, limit: number, cursor: string | undefined): Promise<Page<Person>> {
    const after = cursor === undefined ? undefined : readCursor(cursor, isPosition);
    const found = await peopleByName(this.options.database, nameSearch(search), { after, limit: limit + 1 });
    const { data, nextCursor } = toPage(found, limit, ({ position }) => position);
    return { data: data.map(({ id, firstName, lastName }) => ({ id, firstName, lastName })), nextCursor };
  }
}

/** Splits of the search text: real names have no more words, and each adds to the cost of the search. */
const maxPairs = 8;

function nameSearch(search: string): NameSearch {
  const whole = nameKey(search);
  const spaces = [...whole.matchAll(/ /g)].slice(0, maxPairs);
  return { whole, pairs: spaces.map(({ index }) => ({ first: whole.slice(0, index), last: whole.slice(index + 1) })) };
}

function toPage<T>(rows: T[], limit: number, positionOf: (row: T) => unknown): Page<T> {
  const data = rows.slice(0, limit);
  const last = data.at(-1);
  const nextCursor =
    rows.length > limit && last !== undefined
      ? Buffer.from(JSON.stringify(positionOf(last))).toString("base64url")
      : null;
  return { data, nextCursor };
}

/** Decodes a cursor; clients can send anything. */
function readCursor<T>(cursor: string, isValid: (value: unknown) => value is T): T {
  try {
    const value: unknown = JSON.parse(Buffer.from(cursor, "base64url").toString());
    if (isValid(value)) return value;
  } catch {
    // Rejected below, like every other invalid cursor.
  }
  throw new AppError("validation", '"cursor" must be the nextCursor of the previous page', { field: "cursor" });
}

const isId = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) > 0;

const isKey = (value: unknown): value is string =>
  typeof value === "string" && !value.includes("\0") && value.isWellFormed();

function isPosition(value: unknown): value is Position {
  if (typeof value !== "object" || value === null) return false;
  const { rank, firstKey, lastKey, id } = value as Record<string, unknown>;
  return ranks.some((known) => known === rank) && isKey(firstKey) && isKey(lastKey) && isId(id);
}
