/** The name of the format in the manifest. */
export const formatName = "messenger-backup";
/** The format that this version writes, and the newest that it reads. */
export const formatVersion = 1;

export const manifestName = "manifest.json";
/** The generated JWT_SECRET. */
export const secretName = "jwt-secret";

/** A file in the archive, and what it has to contain. */
export interface Part {
  name: string;
  bytes: number;
  /** In hexadecimal. */
  sha256: string;
}

/** The rows of a table, one JSON object in each line. */
export interface TablePart extends Part {
  table: string;
  columns: readonly string[];
  rows: number;
}

/** The content or a thumbnail of an uploaded file, under the key that the storage has for it. */
export interface FilePart extends Part {
  key: string;
}

/** Says what an archive contains. */
export interface Manifest {
  format: typeof formatName;
  formatVersion: number;
  /** The version of the messenger that wrote it. */
  messenger: string;
  /** By the clock of the database. */
  createdAt: string;
  postgresql: string;
  epoch: string;
  /** The schema: the names of its migrations. */
  migrations: readonly string[];
  tables: readonly TablePart[];
  /** Tables whose rows are not in the archive. */
  leftOut: readonly string[];
  /** The last values of the sequences, as text. */
  sequences: Readonly<Record<string, string>>;
  /** The uploaded files, if they are on disk; absent in archives of versions without files. */
  files?: readonly FilePart[];
  /** The generated JWT_SECRET, unless it is set from outside. */
  secret: Part | null;
}
