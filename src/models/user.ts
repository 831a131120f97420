import { Column, DataType, Model, Table } from "sequelize-typescript";

/** A person. Once deleted: only the id, so that other people's histories keep their messages. */
@Table({ tableName: "users", underscored: true, timestamps: false })
export class User extends Model<Partial<User>> {
  @Column({ type: DataType.BIGINT, primaryKey: true, autoIncrement: true })
  declare id: number;

  /** As its owner typed it. */
  @Column(DataType.TEXT)
  declare email: string | null;

  /** What makes two addresses the same; see `emailKey`. */
  @Column(DataType.TEXT)
  declare emailKey: string | null;

  @Column(DataType.TEXT)
  declare passwordHash: string | null;

  @Column(DataType.TEXT)
  declare firstName: string | null;

  @Column(DataType.TEXT)
  declare lastName: string | null;

  /** The names as they are searched; see `nameKey`. */
  @Column(DataType.TEXT)
  declare firstNameKey: string | null;

  @Column(DataType.TEXT)
  declare lastNameKey: string | null;

  @Column(DataType.DATE)
  declare createdAt: Date;

  @Column(DataType.DATE)
  declare lastSeenAt: Date | null;

  @Column(DataType.DATE)
  declare deletedAt: Date | null;
}

/** The form in which e-mail addresses are compared: upper and lower case are the same. */
export const emailKey = (email: string): string => email.normalize("NFC").toLowerCase();

/** The form in which names are searched: lower case, without accents, single spaces. */
export const nameKey = (name: string): string =>
  name.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase().replace(/\s+/g, " ").trim();

/** An account that is there: what the schema promises of rows that are not deleted. */
export type ActiveUser = User & { email: string; firstName: string; passwordHash: string };

export const isActive = (user: User | null | undefined): user is ActiveUser => user?.deletedAt === null;
