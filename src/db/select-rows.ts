/** Runs one statement without values on a connection. The caller declares the type of the rows. */
export type SelectRows = <Row extends object>(sql: string) => Promise<Row[]>;
