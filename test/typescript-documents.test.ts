import { describe, expect, test } from "@jest/globals";
import { declaration, docComment, typeOf } from "../src/docs/typescript.ts";

describe("JSON Schema as TypeScript", () => {
  test.each([
    [{ type: "integer" }, "number"],
    [{ type: ["string", "null"], maxLength: 64 }, "string | null"],
    [{ const: true }, "true"],
    [{ type: "string", enum: ["a", "b"] }, '"a" | "b"'],
    [
      { type: "string", enum: ["a"], description: "What it is. More kinds will be added: ignore them." },
      '"a" | (string & {})',
    ],
    [{ anyOf: [{ type: "null" }, { $ref: "#/components/schemas/Person" }] }, "Person | null"],
    [{ type: "array", items: { type: ["string", "null"] } }, "readonly (string | null)[]"],
    [{ type: "array", items: { type: "integer" }, minItems: 1, maxItems: 3 }, "readonly [number, number?, number?]"],
    [{ type: "array", items: { type: "integer" }, maxItems: 100 }, "readonly (number)[]"],
    [{ type: "object", properties: {} }, "Record<never, never>"],
    [{}, "unknown"],
  ])("%j is %s", (schema, text) => {
    expect(typeOf(schema)).toBe(text);
  });

  test("an object is an interface whose optional keys are marked", () => {
    const properties = { id: { type: "integer", description: "Its id." }, name: { type: "string" } };
    expect(declaration("Thing", { type: "object", description: "A thing.", properties, required: ["id"] })).toBe(
      "/** A thing. */\nexport interface Thing {\n  /** Its id. */\n  id: number;\n  name?: string;\n}\n",
    );
  });

  test("an object inside another one needs a name", () => {
    expect(() => typeOf({ type: "object", properties: { x: {}, y: {} } })).toThrow(
      "without a name, with the keys x, y",
    );
  });

  test("a long comment is wrapped, and no text ends it early", () => {
    expect(docComment("ends */ here")).toBe("/** ends *\\/ here */\n");
    const lines = docComment("word ".repeat(60).trim(), "  ").split("\n");
    expect(lines.length).toBeGreaterThan(4);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(120);
  });
});
