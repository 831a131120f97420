import { check, type Schema } from "../contract/schema.ts";
import type { Bus } from "./bus.ts";

/** A kind of message on the bus: its name, and the type of its body. */
export interface Topic<Body extends object> {
  readonly name: string;
  /** Returns the body of a message from another process, or undefined if it does not match the schema. */
  decode(body: unknown): Body | undefined;
}

/** Declares a topic whose bodies are validated with a schema. */
export const topic = <Body extends object>(name: string, schema: Schema<Body>): Topic<Body> => ({
  name,
  decode(body) {
    try {
      return check(schema, body, { label: name });
    } catch {
      return undefined;
    }
  },
});

/** Publishes a message to all other processes. */
export const publish = <Body extends object>(bus: Bus, { name }: Topic<Body>, body: Body): void =>
  bus.publish(name, body);

/**
 * Calls the listener for each valid message that another process publishes under this topic. Invalid ones are dropped:
 * a message on the bus is a hint, and what it was about is found in the database.
 */
export const subscribe = <Body extends object>(
  bus: Bus,
  { name, decode }: Topic<Body>,
  listener: (body: Body) => void,
): void =>
  bus.subscribe(name, (body) => {
    const valid = decode(body);
    if (valid) listener(valid);
  });
