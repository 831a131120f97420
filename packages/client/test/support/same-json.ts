import { isDeepStrictEqual } from "node:util";

/**
 * Whether two values are equal as JSON. In Jest, `structuredClone` makes arrays and objects of another realm, which are never
 * strictly equal to those of the tests.
 */
export const isSameJson = (a: unknown, b: unknown): boolean => isDeepStrictEqual(plain(a), plain(b));

const plain = (value: unknown): unknown => JSON.parse(JSON.stringify([value]));
