import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** The library that shows a process another wall clock; undefined where it is not installed. */
function findLibrary(): string | undefined {
  const folders = ["/usr/lib", "/usr/local/lib"].flatMap((folder) =>
    existsSync(folder) ? [folder, ...readdirSync(folder).map((name) => join(folder, name))] : [],
  );
  return folders.map((folder) => join(folder, "faketime", "libfaketime.so.1")).find((path) => existsSync(path));
}

/** The wall clock of one process, which can be set while it runs. Its monotonic clock is the real one. */
export class ProcessClock {
  /** The environment of the process. */
  readonly settings: Record<string, string>;

  private constructor(
    library: string,
    private readonly file: string,
  ) {
    this.settings = {
      LD_PRELOAD: library,
      FAKETIME_TIMESTAMP_FILE: file,
      FAKETIME_NO_CACHE: "1",
      FAKETIME_DONT_FAKE_MONOTONIC: "1",
      NO_FAKE_STAT: "1",
    };
    this.set(0);
  }

  /** Whether libfaketime is installed. */
  static get isAvailable(): boolean {
    return findLibrary() !== undefined;
  }

  /** @returns undefined where libfaketime is not installed */
  static create(folder: string): ProcessClock | undefined {
    const library = findLibrary();
    return library === undefined ? undefined : new ProcessClock(library, join(folder, "clock"));
  }

  /** Sets the clock to this many seconds after the real time, or before it. */
  set(seconds: number): void {
    writeFileSync(this.file, `${seconds < 0 ? "" : "+"}${seconds}\n`);
  }
}
