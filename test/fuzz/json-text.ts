import type { AnyMessageType } from "../../src/ws/message-type.ts";

/*
 * Frames as JSON text, made from the examples of the message types. Not with JSON.stringify, which cannot express 1e400,
 * lone surrogates, a "__proto__" key or duplicate keys.
 */

type Entries = (readonly [string, string])[];

export const objectJson = (entries: Iterable<readonly [string, string]>): string =>
  `{${[...entries].map(([key, value]) => `${JSON.stringify(key)}:${value}`).join(",")}}`;

export const exampleEntries = ({ example }: AnyMessageType): Entries =>
  Object.entries(example.params).map(([name, value]) => [name, JSON.stringify(value)]);

export const frameJson = ({ type }: AnyMessageType, params: string): string =>
  objectJson([
    ["type", JSON.stringify(type)],
    ["params", params],
  ]);

export const validJson = (messageType: AnyMessageType): string =>
  frameJson(messageType, objectJson(exampleEntries(messageType)));

export const jsonWithParam = (messageType: AnyMessageType, name: string, value: string): string =>
  frameJson(messageType, objectJson(new Map(exampleEntries(messageType)).set(name, value)));
