import { closeCodeTable } from "../contract/close-codes.ts";

/** Codes of clients and of `ws`: closed in order, page left, no code, connection lost. */
const clientCodes = [1000, 1001, 1005, 1006];

const labels: ReadonlyMap<number, string> = new Map(
  [...clientCodes, ...Object.values(closeCodeTable).map(({ code }) => code)].map((code) => [code, String(code)]),
);

/** A close code as a label of the metrics. Clients may send any of thousands. */
export const closeLabel = (code: number): string => labels.get(code) ?? "other";
