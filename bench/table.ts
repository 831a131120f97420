/** A target of a scenario, and the measured value. */
export interface Target {
  name: string;
  measured: number;
  limit: number;
  /** Whether `limit` is a minimum instead of a maximum. */
  isMinimum?: boolean;
}

/** The results of a scenario. */
export interface Report {
  title: string;
  columns: string[];
  rows: (string | number)[][];
  targets: Target[];
  /** Lost, duplicated or rejected messages and failed requests. Any of these fails the run. */
  faults: string[];
}

const isMet = ({ measured, limit, isMinimum: least }: Target): boolean =>
  least ? measured >= limit : measured <= limit;

/** Formats with three significant digits. */
export const digits = (value: number): string =>
  Math.abs(value) >= 100 ? Math.round(value).toLocaleString("en") : String(Number(value.toPrecision(3)));

const line = (cells: readonly (string | number)[]): string =>
  `| ${cells.map((cell) => (typeof cell === "number" ? digits(cell) : cell)).join(" | ")} |`;

const table = (columns: readonly string[], rows: readonly (readonly (string | number)[])[]): string[] => [
  line(columns),
  line(columns.map(() => "---")),
  ...rows.map(line),
];

/** Formats a report as Markdown. */
export function format({ title, columns, rows, targets, faults }: Report): string {
  const targetRows = targets.map((target) => [
    target.name,
    target.measured,
    `${target.isMinimum ? ">=" : "<="} ${digits(target.limit)}`,
    isMet(target) ? "pass" : "FAIL",
  ]);
  return [
    `## ${title}`,
    "",
    ...table(columns, rows),
    ...(targets.length > 0 ? ["", ...table(["target", "measured", "limit", ""], targetRows)] : []),
    ...(faults.length > 0 ? ["", ...faults.map((fault) => `FAULT: ${fault}`)] : []),
    "",
  ].join("\n");
}
