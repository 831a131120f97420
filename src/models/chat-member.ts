import { Column, DataType, Model, Table } from "sequelize-typescript";
import type { Role } from "../domain/chat.ts";

/** A current membership in a chat, with the member's read state. */
@Table({ tableName: "chat_members", underscored: true, timestamps: false })
export class ChatMember extends Model<Partial<ChatMember>> {
  @Column({ type: DataType.BIGINT, primaryKey: true })
  declare userId: number;

  @Column({ type: DataType.BIGINT, primaryKey: true })
  declare chatId: number;

  @Column(DataType.TEXT)
  declare role: Role;

  /** Highest `seq` that the member has read. */
  @Column(DataType.BIGINT)
  declare readSeq: number;

  /** Messages up to this `seq` are hidden from the member. */
  @Column(DataType.BIGINT)
  declare clearedSeq: number;

  @Column(DataType.DATE)
  declare joinedAt: Date;
}
