import { Column, DataType, Model, Table } from "sequelize-typescript";
import type { ChatKind } from "../domain/chat.ts";

/** A group, or the dialog of two people. Its row lock orders the chat's messages. */
@Table({ tableName: "chats", underscored: true, timestamps: false })
export class Chat extends Model<Partial<Chat>> {
  @Column({ type: DataType.BIGINT, primaryKey: true, autoIncrement: true })
  declare id: number;

  @Column(DataType.TEXT)
  declare kind: ChatKind;

  /** Groups only. */
  @Column(DataType.TEXT)
  declare name: string | null;

  /** Groups only. */
  @Column(DataType.TEXT)
  declare avatarId: string | null;

  /** Dialogs only: the smaller of the two user ids. */
  @Column(DataType.BIGINT)
  declare pairLow: number | null;

  @Column(DataType.BIGINT)
  declare pairHigh: number | null;

  /** `seq` of the latest message; 0 before the first. */
  @Column(DataType.BIGINT)
  declare lastSeq: number;

  /** Number of the last durable change. */
  @Column(DataType.BIGINT)
  declare version: number;

  @Column(DataType.BIGINT)
  declare lastMessageId: number | null;

  @Column(DataType.DATE)
  declare createdAt: Date;

  @Column(DataType.DATE)
  declare deletedAt: Date | null;
}
