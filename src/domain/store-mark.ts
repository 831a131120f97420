/** A moment in the store of messages: what it contained, by its own numbers and its own clock. */
export interface StoreMark {
  /** The highest message id at that moment. */
  lastMessageId: number;
  /** The time of the database. */
  databaseTime: Date;
}

/** A mark, and how long ago it was made, in seconds of the monotonic clock. */
export interface AgedMark extends StoreMark {
  ageSeconds: number;
}
