import { createHash } from "node:crypto";
import { setTimeout as wait } from "node:timers/promises";
import { fieldsOf, type HttpAnswer, type HttpRequest } from "./http-requests.ts";
import type { Random } from "./random.ts";

/** A file whose upload was acknowledged. */
export interface UploadedFile {
  id: string;
  ownerId: number;
  /** Of its content, in hexadecimal. */
  sha256: string;
  /** Whether a message with it was sent, whatever the outcome: it may be deleted again then. */
  isSent: boolean;
}

/** Longest pause in the middle of an upload, in milliseconds. */
const maxPauseMs = 300;
/** How often a request is sent whose outcome is not known. */
const maxAttempts = 4;
const retryAfterMs = 300;

export const digestOf = (content: Buffer): string => createHash("sha256").update(content).digest("hex");

/**
 * Uploads a small text, in two parts with a pause between them, and again if the outcome is not known.
 * @returns undefined if it stays unknown
 */
export async function uploadText(
  text: string,
  { random, send }: { random: Random; send: (request: HttpRequest) => Promise<HttpAnswer | undefined> },
): Promise<{ id: string; sha256: string } | undefined> {
  const content = Buffer.from(text);
  const announcement = Buffer.from(JSON.stringify({ name: "file.txt", size: content.length }));
  const announced = await untilAnswered(201, () =>
    send({ method: "POST", path: "/files", type: "application/json", parts: [announcement] }),
  );
  if (!announced) return undefined;
  const { fileId, uploadUrl } = fieldsOf(announced);
  const body = inTwoParts(content, random);
  const uploaded = await untilAnswered(200, () => send({ method: "PUT", path: String(uploadUrl), ...body }));
  return uploaded && { id: String(fileId), sha256: digestOf(content) };
}

/** A body that is sent in two parts with a pause between them: faults interrupt some of these uploads. */
export function inTwoParts(content: Buffer, random: Random): Required<Pick<HttpRequest, "parts" | "pauseMs">> {
  const middle = random.between(1, content.length - 1);
  return { parts: [content.subarray(0, middle), content.subarray(middle)], pauseMs: random.between(0, maxPauseMs) };
}

/** Repeats a request until it has this status. */
async function untilAnswered(
  status: number,
  send: () => Promise<HttpAnswer | undefined>,
): Promise<HttpAnswer | undefined> {
  for (let attempt = 1; attempt <= maxAttempts; attempt++) {
    const answer = await send();
    if (answer?.status === status) return answer;
    await wait(retryAfterMs);
  }
  return undefined;
}
