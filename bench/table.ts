/** A value that a scenario has to reach, and what it did reach. */
export interface Target {
  what: string;
  measured: number;
  limit: number;
  /** Whether more is better. */
  least?: boolean;
}

/** What a scenario found out. */
export interface Report {
  title: string;
  columns: string[];
  rows: (string | number)[][];
  targets: Target[];
  /** Messages that were lost, doubled or refused, requests that failed: these fail the run. */
  faults: string[];
}

const isMet = ({ measured, limit, least }: Target): boolean => (least ? measured >= limit : measured <= limit);

/** Three digits that mean something. */
export const digits = (value: number): string =>
  Math.abs(value) >= 100 ? Math.round(value).toLocaleString("en") : String(Number(value.toPrecision(3)));

const line = (cells: readonly (string | number)[]): string =>
  `| ${cells.map((cell) => (typeof cell === "number" ? digits(cell) : cell)).join(" | ")} |`;

const table = (columns: readonly string[], rows: readonly (readonly (string | number)[])[]): string[] => [
  line(columns),
  line(columns.map(() => "---")),
  ...rows.map(line),
];

/** A report as Markdown. */
export function format({ title, columns, rows, targets, faults }: Report): string {
  const verdicts = targets.map((target) => [
    target.what,
    target.measured,
    `${target.least ? ">=" : "<="} ${digits(target.limit)}`,
    isMet(target) ? "pass" : "FAIL",
  ]);
  return [
    `## ${title}`,
    "",
    ...table(columns, rows),
    ...(targets.length > 0 ? ["", ...table(["target", "measured", "limit", ""], verdicts)] : []),
    ...(faults.length > 0 ? ["", ...faults.map((fault) => `FAULT: ${fault}`)] : []),
    "",
  ].join("\n");
}
