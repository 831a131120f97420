import { Column, DataType, Model, Table } from "sequelize-typescript";
import type { StoredEvent } from "../domain/event.ts";
import type { MessageChange } from "../domain/message.ts";

/** A message, or a system message about an event in the group. The row of a deleted message stays, without content. */
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

  /** The message that was forwarded, if this is a forwarded one. It may have been purged since. */
  @Column(DataType.BIGINT)
  declare forwardedFrom: number | null;

  /** The user who first wrote a forwarded message. */
  @Column(DataType.BIGINT)
  declare firstAuthorId: number | null;

  @Column(DataType.JSONB)
  declare event: StoredEvent | null;

  /** The last change since it was sent. */
  @Column(DataType.JSONB)
  declare change: MessageChange | null;

  @Column(DataType.DATE)
  declare changedAt: Date | null;

  @Column(DataType.TEXT)
  declare content: string;

  @Column(DataType.DATE)
  declare createdAt: Date;

  @Column(DataType.DATE)
  declare editedAt: Date | null;

  @Column(DataType.DATE)
  declare deletedAt: Date | null;
}
