import { Column, DataType, Model, Table } from "sequelize-typescript";

/** A log-in on one device. Its tokens are valid as long as it is active. */
@Table({ tableName: "sessions", underscored: true, timestamps: false })
export class Session extends Model<Partial<Session>> {
  @Column({ type: DataType.BIGINT, primaryKey: true, autoIncrement: true })
  declare id: number;

  @Column(DataType.BIGINT)
  declare userId: number;

  /** SHA-256 of the refresh token; empty after the end. */
  @Column(DataType.BLOB)
  declare refreshHash: Buffer;

  /** SHA-256 of the previous refresh token, which still works for a short time. */
  @Column(DataType.BLOB)
  declare previousHash: Buffer | null;

  /** The User-Agent header of the log-in; null after the end. */
  @Column(DataType.TEXT)
  declare userAgent: string | null;

  /** The network address of the latest log-in or refresh; null after the end. */
  @Column(DataType.TEXT)
  declare address: string | null;

  @Column(DataType.DATE)
  declare createdAt: Date;

  @Column(DataType.DATE)
  declare lastUsedAt: Date;

  /** When the refresh token was last replaced. */
  @Column(DataType.DATE)
  declare refreshedAt: Date;

  @Column(DataType.DATE)
  declare revokedAt: Date | null;
}
