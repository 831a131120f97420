import { Column, DataType, Model, Table } from "sequelize-typescript";

/** One user blocks another. */
@Table({ tableName: "blocks", underscored: true, timestamps: false })
export class Block extends Model<Partial<Block>> {
  @Column({ type: DataType.BIGINT, primaryKey: true })
  declare userId: number;

  @Column({ type: DataType.BIGINT, primaryKey: true })
  declare blockedId: number;

  @Column(DataType.DATE)
  declare createdAt: Date;
}
