import type { Database } from "../../db/connect.ts";
import {
  type NameSearch,
  type Position,
  peopleAfter,
  peopleById,
  peopleByName,
  ranks,
} from "../../db/queries/people/people.ts";
import type { Person } from "../../domain/person.ts";
import { noSuchUser } from "../../domain-errors.ts";
import { nameKey } from "../../models/keys.ts";
import { findByEmail } from "../accounts/find-by-email.ts";
import { isId, type Page, readCursor, toPage } from "../page.ts";

/** Users as others can find them: names, never e-mail addresses. For a user whom they block they do not exist. */
export class People {
  constructor(private readonly options: { database: Database }) {}

  /** Lists all users, the oldest accounts first, or with `search` the matching ones. */
  async list(
    callerId: number,
    input: { search?: string | undefined; limit: number; cursor?: string | undefined },
  ): Promise<Page<Person>> {
    const { search, limit, cursor } = input;
    if (search === undefined) return this.all(callerId, limit, cursor);
    if (search.includes("@")) return this.byEmail(callerId, search);
    return this.byName(callerId, search, limit, cursor);
  }

  async find(callerId: number, userId: number): Promise<Person> {
    const [person] = await this.findAll(callerId, [userId]);
    if (!person) throw noSuchUser();
    return person;
  }

  /** Returns those of these users who exist, in the order of the ids, each once. */
  findAll(callerId: number, userIds: readonly number[]): Promise<Person[]> {
    return peopleById(this.options.database, { callerId, ids: [...new Set(userIds)] });
  }

  private async all(callerId: number, limit: number, cursor: string | undefined): Promise<Page<Person>> {
    const after = cursor === undefined ? 0 : readCursor(cursor, isId);
    const people = await peopleAfter(this.options.database, { callerId, after, limit: limit + 1 });
    return toPage(people, limit, ({ id }) => id);
  }

  /** Matches complete addresses only, so that addresses cannot be guessed letter by letter. */
  private async byEmail(callerId: number, address: string): Promise<Page<Person>> {
    const user = await findByEmail(address.trim(), { attributes: ["id", "emailKey"] });
    return { data: await this.findAll(callerId, user ? [user.id] : []), nextCursor: null };
  }

  private async byName(
    callerId: number,
    search: string,
    limit: number,
    cursor: string | undefined,
  ): Promise<Page<Person>> {
    const after = cursor === undefined ? undefined : readCursor(cursor, isPosition);
    const name = nameSearch(search);
    // A text of accents only would match everybody.
    if (name.whole === "") return { data: [], nextCursor: null };
    const page = { callerId, after, limit: limit + 1 };
    const found = await peopleByName(this.options.database, name, page);
    const { data, nextCursor } = toPage(found, limit, ({ position }) => position);
    return { data: data.map(({ position: _position, ...person }) => person), nextCursor };
  }
}

/** Splits of the search text: real names have no more words, and each adds to the cost of the search. */
const maxPairs = 8;

function nameSearch(search: string): NameSearch {
  const whole = nameKey(search);
  const spaces = [...whole.matchAll(/ /g)].slice(0, maxPairs);
  return { whole, pairs: spaces.map(({ index }) => ({ first: whole.slice(0, index), last: whole.slice(index + 1) })) };
}

const isKey = (value: unknown): value is string =>
  typeof value === "string" && !value.includes("\0") && value.isWellFormed();

function isPosition(value: unknown): value is Position {
  if (typeof value !== "object" || value === null) return false;
  const { rank, firstKey, lastKey, id } = value as Record<string, unknown>;
  return ranks.some((known) => known === rank) && isKey(firstKey) && isKey(lastKey) && isId(id);
}
