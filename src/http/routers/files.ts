import { fileId, fileIdText, time } from "../../contract/fields.ts";
import { exampleFile, file } from "../../contract/files.ts";
import {
  closedObject,
  described,
  integer,
  list,
  named,
  object,
  optional,
  text,
  textLike,
} from "../../contract/schema.ts";
import { isFileId } from "../../domain/file.ts";
import { noSuchFile } from "../../domain-errors.ts";
import { readerOf, sendFile } from "../file-download.ts";
import { receiveContent } from "../file-upload.ts";
import { defineRoute } from "../route.ts";

const tag = "Files";
const exampleId = exampleFile.id;

export const announceFile = defineRoute({
  method: "post",
  url: "/files",
  summary:
    "Announce a file, then `PUT` its content to `uploadUrl` and send it in a message with `fileIds`. Until `expiresAt` it is kept without a message.",
  tag,
  body: closedObject({
    name: described(text({ max: 1000, blank: true }), "Its name. Folders and control characters are removed from it."),
    size: described(integer({ min: 0, max: Number.MAX_SAFE_INTEGER }), "Its size in bytes."),
    mediaType: optional(
      described(
        text({ min: 0, max: 200, blank: true }),
        "Its type as the client knows it. The server finds it out itself.",
      ),
    ),
  }),
  status: 201,
  answer: object({
    fileId: fileId(),
    uploadUrl: described(text({ max: 200 }), "The path for the content. It needs the token of the same user."),
    expiresAt: time(),
  }),
  errors: ["TOO_LARGE", "QUOTA", "NOT_CONFIGURED"],
  furtherErrors: [{ status: 507, code: "UNAVAILABLE" }],
  example: {
    body: { name: "holiday.jpg", size: 48_211, mediaType: "image/jpeg" },
    answer: { fileId: exampleId, uploadUrl: `/files/${exampleId}/content`, expiresAt: "2023-07-29T13:20:09.896Z" },
  },
  handle: ({ identity, body, services }) => services.uploads.create(identity.userId, body),
});

export const uploadFile = defineRoute({
  method: "put",
  url: "/files/{id}/content",
  summary:
    "Upload the content of a file, with its size as `Content-Length`. The same content again succeeds again, other content is a conflict.",
  tag,
  path: closedObject({ id: fileId() }),
  streams: "request",
  status: 200,
  answer: object({ file }),
  errors: ["NOT_FOUND", "CONFLICT", "NOT_READY", "UPLOAD_MISMATCH"],
  furtherErrors: [
    { status: 408, code: "UPLOAD_MISMATCH" },
    { status: 411, code: "VALIDATION" },
    { status: 507, code: "UNAVAILABLE" },
  ],
  example: { path: { id: exampleId }, answer: { file: exampleFile } },
  handle: async ({ identity, path, services, request }) => ({
    file: await receiveContent(services.uploads, identity.userId, path.id, request),
  }),
});

export const readFile = defineRoute({
  method: "get",
  url: "/files/{id}",
  summary:
    "Get a file of a message that you can see, or a thumbnail of a picture. With a token, or with a `link` in place of it. One range is answered with 206.",
  tag,
  public: true,
  // A malformed id is no other than an unknown one.
  path: closedObject({ id: fileIdText() }),
  query: closedObject({
    size: optional(
      described(
        textLike(/^(320|640)$/, "be 320 or 640"),
        "320 or 640: a WebP thumbnail that fits into a square of so many pixels.",
      ),
    ),
    link: optional(described(text({ min: 0, max: 200, blank: true }), "From `POST /files/links`.")),
  }),
  streams: "response",
  status: 200,
  errors: ["UNAUTHENTICATED", "NOT_FOUND", "NOT_READY"],
  example: { path: { id: exampleId }, query: { size: "320" } },
  async handle({ path, query, services, request, response }) {
    const userId = await readerOf(services, request, { fileId: path.id, link: query.link });
    if (!isFileId(path.id)) throw noSuchFile();
    const size = query.size === undefined ? undefined : query.size === "320" ? 320 : 640;
    const content = await services.downloads.find(userId, { id: path.id, size });
    await sendFile(services, content, request, response);
  },
});

export const linkFiles = defineRoute({
  method: "post",
  url: "/files/links",
  summary:
    "Make links to files, for pages: they work without a token, as long as you may read the file, are logged in, and until `expiresAt`. `&size=320` may be added. Files that you may not read are left out.",
  tag,
  readOnly: true,
  body: closedObject({ ids: list(fileId(), { max: 100 }) }),
  status: 200,
  answer: object({
    data: list(
      named(
        "FileLink",
        object({ id: fileId(), url: described(text({ max: 300 }), "A path of this server."), expiresAt: time() }),
        "A link to a file, for pages.",
      ),
    ),
  }),
  errors: [],
  example: {
    body: { ids: [exampleId] },
    answer: {
      data: [
        {
          id: exampleId,
          url: `/files/${exampleId}?link=1.5.1690550409.c2lnbmF0dXJlLXNpZ25hdHVyZS1zaWduYXR1cmUtc2k`,
          expiresAt: "2023-07-28T13:20:09.000Z",
        },
      ],
    },
  },
  handle: async ({ identity, body, services }) => ({ data: await services.downloads.link(identity, body.ids) }),
});

export const fileRoutes = [announceFile, linkFiles, uploadFile, readFile];
