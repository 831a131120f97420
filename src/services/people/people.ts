import { Op } from "sequelize";
import type { Person } from "../../domain/person.ts";
import type { Database } from "../../db/connect.ts";
import { type NameSearch, type Place, peopleByName, ranks } from "../../db/queries/people/people.ts";
import { AppError } from "../../errors.ts";
import { User } from "../../models/index.ts";
import { emailKey, nameKey } from "../../models/user.ts";
import { noSuchUser } from "../../domain-errors.ts";

/** One screen of a list, and what to ask with for the next. */
export interface Slice<T> {
  data: T[];
  nextCursor: string | null;
}

const toPerson = ({ id, firstName, lastName }: User): Person => ({ id, firstName: firstName ?? "", lastName });
const attributes = ["id", "firstName", "lastName"];

/** People as others may find them: names, never e-mail addresses. */
export class People {
  constructor(private readonly options: { database: Database }) {}

  /** Everyone with an account, the oldest first; or, with `search`, those it finds. */
  async list(wish: {
    search?: string | undefined;
    limit: number;
    cursor?: string | undefined;
  }): Promise<Slice<Person>> {
    const { search, limit, cursor } = wish;
    if (search === undefined) return this.everyone(limit, cursor);
    if (search.includes("@")) return this.byEmail(search);
    return this.byName(search, limit, cursor);
  }

  async find(userId: number): Promise<Person> {
    const user = await User.findOne({ attributes, where: { id: userId, deletedAt: null } });
    if (!user) throw noSuchUser();
    return toPerson(user);
  }

  private async everyone(limit: number, cursor: string | undefined): Promise<Slice<Person>> {
    const after = cursor === undefined ? 0 : readCursor(cursor, isId);
    const users = await User.findAll({
      attributes,
      where: { id: { [Op.gt]: after }, deletedAt: null },
      order: ["id"],
      limit: limit + 1,
    });
    return slice(users.map(toPerson), limit, ({ id }) => id);
  }

  /** Only the whole address finds its owner, so that nobody can find out addresses letter by letter. */
  private async byEmail(address: string): Promise<Slice<Person>> {
    const user = await User.findOne({ attributes, where: { emailKey: emailKey(address.trim()), deletedAt: null } });
    return { data: user ? [toPerson(user)] : [], nextCursor: null };
  }

  private async byName(search: string, limit: number, cursor: string | undefined): Promise<Slice<Person>> {
    const after = cursor === undefined ? undefined : readCursor(cursor, isPlace);
    const found = await peopleByName(this.options.database, nameSearch(search), { after, limit: limit + 1 });
    const { data, nextCursor } = slice(found, limit, ({ place }) => place);
    return { data: data.map(({ id, firstName, lastName }) => ({ id, firstName, lastName })), nextCursor };
  }
}

/** Nobody's name has more words, and each costs the search as much as the first. */
const mostPairs = 8;

function nameSearch(search: string): NameSearch {
  const whole = nameKey(search);
  const spaces = [...whole.matchAll(/ /g)].slice(0, mostPairs);
  return { whole, pairs: spaces.map(({ index }) => ({ first: whole.slice(0, index), last: whole.slice(index + 1) })) };
}

function slice<T>(rows: T[], limit: number, placeOf: (row: T) => unknown): Slice<T> {
  const data = rows.slice(0, limit);
  const last = data.at(-1);
  const nextCursor =
    rows.length > limit && last !== undefined ? Buffer.from(JSON.stringify(placeOf(last))).toString("base64url") : null;
  return { data, nextCursor };
}

/** What a cursor of ours holds; clients hand it back as it is, and may hand back anything. */
function readCursor<T>(cursor: string, holds: (value: unknown) => value is T): T {
  try {
    const value: unknown = JSON.parse(Buffer.from(cursor, "base64url").toString());
    if (holds(value)) return value;
  } catch {
    // Answered below like everything else that is no cursor.
  }
  throw new AppError("validation", '"cursor" must be the nextCursor of the page before');
}

const isId = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) > 0;

const isKey = (value: unknown): value is string =>
  typeof value === "string" && !value.includes("\0") && value.isWellFormed();

function isPlace(value: unknown): value is Place {
  if (typeof value !== "object" || value === null) return false;
  const { rank, firstKey, lastKey, id } = value as Record<string, unknown>;
  return ranks.some((known) => known === rank) && isKey(firstKey) && isKey(lastKey) && isId(id);
}
