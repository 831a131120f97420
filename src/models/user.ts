import { Column, DataType, Model, Table } from "sequelize-typescript";
import type { UserRole } from "../domain/administration.ts";
import { nameKey } from "./keys.ts";

/** A user. A deleted one keeps only the id, so that the histories of others keep their messages. */
@Table({ tableName: "users", underscored: true, timestamps: false })
export class User extends Model<Partial<User>> {
  @Column({ type: DataType.BIGINT, primaryKey: true, autoIncrement: true })
  declare id: number;

  /** As entered by the user. */
  @Column(DataType.TEXT)
  declare email: string | null;

  /** Unique form of the address; see `emailKey`. */
  @Column(DataType.TEXT)
  declare emailKey: string | null;

  @Column(DataType.TEXT)
  declare passwordHash: string | null;

  @Column(DataType.TEXT)
  declare firstName: string | null;

  @Column(DataType.TEXT)
  declare lastName: string | null;

  /** Search form of the names; see `nameKey`. */
  @Column(DataType.TEXT)
  declare firstNameKey: string | null;

  @Column(DataType.TEXT)
  declare lastNameKey: string | null;

  /** The row of avatars; a trigger removes it when the account is deleted. */
  @Column(DataType.TEXT)
  declare avatarId: string | null;

  /** See `userRoles`. */
  @Column(DataType.TEXT)
  declare role: UserRole;

  @Column(DataType.DATE)
  declare suspendedAt: Date | null;

  /** When the user confirmed the e-mail address. By default an account counts as confirmed. */
  @Column(DataType.DATE)
  declare emailVerifiedAt: Date | null;

  /** A new e-mail address that has not been confirmed yet. */
  @Column(DataType.TEXT)
  declare pendingEmail: string | null;

  @Column(DataType.DATE)
  declare createdAt: Date;

  @Column(DataType.DATE)
  declare lastSeenAt: Date | null;

  @Column(DataType.DATE)
  declare deletedAt: Date | null;
}

/** The columns of the given names, with their search forms. */
export const nameColumns = (names: { firstName?: string | undefined; lastName?: string | null | undefined }) => ({
  ...(names.firstName !== undefined && { firstName: names.firstName, firstNameKey: nameKey(names.firstName) }),
  ...(names.lastName !== undefined && { lastName: names.lastName, lastNameKey: nameKey(names.lastName ?? "") }),
});

/** The columns that are erased when an account is deleted. */
export const erasedColumns = {
  email: null,
  emailKey: null,
  passwordHash: null,
  firstName: null,
  lastName: null,
  firstNameKey: null,
  lastNameKey: null,
  role: "user",
  suspendedAt: null,
  emailVerifiedAt: null,
  pendingEmail: null,
} as const;

/** A user who is not deleted: the schema guarantees that these columns are set. */
export type ActiveUser = User & { email: string; firstName: string; passwordHash: string };

export const isActive = (user: User | null | undefined): user is ActiveUser => user?.deletedAt === null;
