import { once } from "node:events";
import { request } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { announce } from "../../test/support/files.ts";

/** Where a user uploads files. */
export interface Uploader {
  port: number;
  token: string;
}

/** Users who upload one file after the other, each as fast as the server takes it. */
export interface UploadJob {
  uploaders: readonly Uploader[];
  fileBytes: number;
}

const chunk = Buffer.alloc(64 * 1024);

function* zeros(bytes: number) {
  for (let rest = bytes; rest > 0; rest -= chunk.length) yield chunk.subarray(0, rest);
}

/** Uploads a file of zeros, chunk by chunk. @returns its path */
export async function upload({ port, token }: Uploader, bytes: number): Promise<string> {
  const path = `/files/${await announce({ port }, { token }, { size: bytes })}`;
  const put = request({
    port,
    path: `${path}/content`,
    method: "PUT",
    headers: { authorization: `Bearer ${token}`, "content-length": bytes },
  });
  const answered = once(put, "response");
  await pipeline(Readable.from(zeros(bytes)), put);
  const [response] = await answered;
  response.resume();
  if (response.statusCode !== 200) throw new Error(`an upload was answered with ${response.statusCode}`);
  return path;
}
