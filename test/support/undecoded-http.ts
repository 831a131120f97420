import { once } from "node:events";
import { type IncomingHttpHeaders, type IncomingMessage, request } from "node:http";
import { buffer } from "node:stream/consumers";

export interface UndecodedResponse {
  status: number | undefined;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

/** Makes a request with these headers only, without the decompression and the normalisation of paths of `fetch`. */
export async function sendUndecoded(
  port: number,
  method: string,
  path: string,
  headers: Record<string, string> = {},
): Promise<UndecodedResponse> {
  const sent = request({ port, method, path, headers }).end();
  const [response] = (await once(sent, "response")) as [IncomingMessage];
  return { status: response.statusCode, headers: response.headers, body: await buffer(response) };
}
