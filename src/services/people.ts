import { Op } from "sequelize";
import type { Person } from "../db/queries/messages.ts";
import { User } from "../models/index.ts";
import { noSuchUser } from "./groups.ts";

/** One screen of a list, and what to ask with for the next. */
export interface Slice<T> {
  data: T[];
  nextCursor: string | null;
}

const toPerson = ({ id, firstName, lastName }: User): Person => ({ id, firstName: firstName ?? "", lastName });
const attributes = ["id", "firstName", "lastName"];

/** People as others may find them: names, never e-mail addresses. */
export class People {
  /** Everyone with an account, the oldest first. */
  async list({ limit, after }: { limit: number; after: number }): Promise<Slice<Person>> {
    const users = await User.findAll({
      attributes,
      where: { id: { [Op.gt]: after }, deletedAt: null },
      order: ["id"],
      limit: limit + 1,
    });
    const data = users.slice(0, limit).map(toPerson);
    const last = data.at(-1);
    return { data, nextCursor: users.length > limit && last ? String(last.id) : null };
  }

  async find(userId: number): Promise<Person> {
    const user = await User.findOne({ attributes, where: { id: userId, deletedAt: null } });
    if (!user) throw noSuchUser();
    return toPerson(user);
  }
}
