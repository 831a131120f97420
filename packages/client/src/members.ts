import { LoadedList } from "./loaded-list.ts";
import { sameIfEqual } from "./observable.ts";
import type { GroupMember, Person } from "./protocol.ts";

/** A member of a chat. `role` and `joinedAt` are those of groups. */
export type Member = Pick<GroupMember, "userId" | "firstName" | "lastName"> &
  Partial<Pick<GroupMember, "role" | "joinedAt">> & { avatarId?: string | undefined };

/** The members of a chat. */
export class Members extends LoadedList<Member> {
  /** Applies the name and avatar of a user. */
  apply(person: Person): void {
    this.change((rows) =>
      sameIfEqual(
        rows,
        rows.map((row) => (row.userId === person.id ? { ...row, ...memberOf(person) } : row)),
      ),
    );
  }
}

export const memberOf = ({ id: userId, firstName, lastName, avatarId }: Person): Member => ({
  userId,
  firstName,
  lastName,
  avatarId,
});
