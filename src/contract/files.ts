import type { FileInfo } from "../domain/file.ts";
import { fileId } from "./fields.ts";
import { described, integer, named, nullable, object, text } from "./schema.ts";

const pixels = (description: string) =>
  described(nullable(integer({ min: 1, max: 2 ** 31 - 1 })), `${description} \`null\` where it is not known.`);

export const file = named(
  "MessageFile",
  object({
    id: fileId(),
    name: text({ max: 200, blank: true }),
    size: described(integer({ min: 0, max: Number.MAX_SAFE_INTEGER }), "In bytes, as it is served."),
    mediaType: described(
      text({ max: 200, blank: true }),
      "Found by its content. Pictures, videos and sounds of a few types are shown by browsers, all others saved.",
    ),
    width: pixels("Of a picture, in pixels."),
    height: pixels("Of a picture, in pixels."),
    thumbHash: described(
      nullable(text({ max: 100, blank: true })),
      "A tiny preview of a picture (ThumbHash), in base64; `null` where there is none.",
    ),
  } satisfies Record<keyof FileInfo, unknown>),
  "A file of a message. `GET /files/{id}` reads it.",
);

export const exampleFile = {
  id: "018996c8-7d2a-7c41-9d4e-2f3b6a1c0d5e",
  name: "holiday.jpg",
  size: 48_211,
  mediaType: "image/jpeg",
  width: 1200,
  height: 800,
  thumbHash: "1QcSHQRnh493V4dIh4eXh1h4kJUI",
};
