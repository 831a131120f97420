import { Column, DataType, Model, Table } from "sequelize-typescript";

/** What happened to a group, as stored: ids and values only, never a person's name. */
export type StoredEvent = Readonly<{
  kind:
    | "groupCreated"
    | "groupRenamed"
    | "groupDeleted"
    | "memberAdded"
    | "memberRemoved"
    | "memberLeft"
    | "roleChanged"
    | "ownershipTransferred";
  byUserId: number;
  userId?: number;
  groupName?: string;
  role?: "admin" | "member";
  /** Of `groupDeleted`: who was in the group, which nothing else tells from then on. For delivery, not for clients. */
  memberIds?: readonly number[];
}>;

/** A message, or a notification about the group (`event`). A deleted one stays, with empty content. */
@Table({ tableName: "messages", underscored: true, timestamps: false })
export class Message extends Model<Partial<Message>> {
  @Column({ type: DataType.BIGINT, primaryKey: true, autoIncrement: true })
  declare id: number;

  @Column(DataType.BIGINT)
  declare chatId: number;

  @Column(DataType.BIGINT)
  declare seq: number;

  @Column(DataType.BIGINT)
  declare version: number;

  @Column(DataType.BIGINT)
  declare senderId: number;

  @Column(DataType.TEXT)
  declare clientMessageId: string | null;

  @Column(DataType.BIGINT)
  declare replyTo: number | null;

  @Column(DataType.JSONB)
  declare event: StoredEvent | null;

  @Column(DataType.TEXT)
  declare content: string;

  @Column(DataType.DATE)
  declare createdAt: Date;

  @Column(DataType.DATE)
  declare editedAt: Date | null;

  @Column(DataType.DATE)
  declare deletedAt: Date | null;
}
