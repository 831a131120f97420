import { request } from "node:http";
import { buffer } from "node:stream/consumers";
import { setTimeout as wait } from "node:timers/promises";

const answerTimeoutMs = 20_000;

/** A request over HTTP. */
export interface HttpRequest {
  method: "GET" | "POST" | "PUT" | "DELETE";
  path: string;
  type?: string;
  /** The body, in the parts in which it is sent. */
  parts?: readonly Buffer[];
  /** How long nothing is sent between two parts, in milliseconds. */
  pauseMs?: number;
}

export interface HttpAnswer {
  status: number;
  body: Buffer;
}

/** Sends a request with the token of a user. @returns undefined if the connection is lost before the answer */
export async function sendRequest(
  { port, token }: { port: number; token: string },
  { method, path, type = "application/octet-stream", parts = [], pauseMs = 0 }: HttpRequest,
): Promise<HttpAnswer | undefined> {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const headers = {
    authorization: `Bearer ${token}`,
    ...(parts.length > 0 && { "content-type": type, "content-length": length }),
  };
  const outgoing = request({ host: "127.0.0.1", port, method, path, headers, timeout: answerTimeoutMs });
  const answer = new Promise<HttpAnswer | undefined>((resolve) => {
    outgoing.on("timeout", () => outgoing.destroy());
    outgoing.on("error", () => resolve(undefined));
    outgoing.on("response", (response) => {
      buffer(response).then(
        (body) => resolve({ status: response.statusCode ?? 0, body }),
        () => resolve(undefined),
      );
    });
  });
  for (const [index, part] of parts.entries()) {
    if (index > 0) await wait(pauseMs);
    outgoing.write(part);
  }
  outgoing.end();
  return answer;
}

/** The fields of an answer in JSON. */
export const fieldsOf = ({ body }: HttpAnswer): Record<string, unknown> => JSON.parse(String(body));
