import { MessengerError } from "./errors.ts";
import type { ErrorCode, Problem } from "./protocol.ts";

/** The part of a `Response` that is used. */
export interface FetchResponse {
  ok: boolean;
  status: number;
  json(): Promise<unknown>;
}

/** The part of `fetch` that is used. */
export type Fetch = (
  url: string,
  options: { method: string; headers: Record<string, string>; body?: string | Blob; signal?: AbortSignal },
) => Promise<FetchResponse>;

const timeoutMs = 20_000;
/** Of a request with a picture: 5 MiB on a slow network. */
const pictureTimeoutMs = 120_000;

/** The platform's own. */
export const defaultFetch: Fetch = (url, options) => globalThis.fetch(url, options);

/** The HTTP routes of a server. */
export class Http {
  /** @param baseUrl the address of the server, without a slash at its end */
  constructor(
    readonly baseUrl: string,
    private readonly fetch: Fetch,
  ) {}

  /**
   * Makes a request, with a JSON body or a picture, and returns the body of the response.
   * @throws MessengerError with the code of the server, or `OFFLINE` if there was no response
   */
  async request<T>(method: string, path: string, options: { token?: string; body?: object } = {}): Promise<T> {
    const { token, body } = options;
    const headers: Record<string, string> = {};
    const picture = body instanceof Blob ? body : undefined;
    if (body && !picture) headers["Content-Type"] = "application/json";
    if (token) headers.Authorization = `Bearer ${token}`;
    let response: FetchResponse;
    let content: unknown;
    try {
      response = await this.fetch(this.baseUrl + path, {
        method,
        headers,
        ...(body && { body: picture ?? JSON.stringify(body) }),
        signal: AbortSignal.timeout(picture ? pictureTimeoutMs : timeoutMs),
      });
      const isEmpty = response.status === 204 || response.status === 202;
      content = isEmpty ? undefined : await contentOf(response);
    } catch {
      throw new MessengerError("OFFLINE", "The server cannot be reached.");
    }
    if (response.ok) return content as T;
    throw problemError(response.status, content as Partial<Problem> | false);
  }

  /**
   * Sends the content of a file. It may take as long as it makes progress.
   * @throws MessengerError with the code of the server, or `OFFLINE` if there was no response
   */
  async upload<T>(
    path: string,
    body: Blob,
    options: { token: string; signal: AbortSignal; onProgress(sentBytes: number): void },
  ): Promise<T> {
    const { token, signal, onProgress } = options;
    const headers = { Authorization: `Bearer ${token}`, "Content-Type": "application/octet-stream" };
    const url = this.baseUrl + path;
    let status: number;
    let content: unknown;
    try {
      signal.throwIfAborted();
      if (typeof XMLHttpRequest === "undefined") {
        const response = await this.fetch(url, { method: "PUT", headers, body, signal });
        status = response.status;
        content = await contentOf(response);
      } else ({ status, content } = await sendWithProgress(url, body, { headers, signal, onProgress }));
    } catch {
      throw new MessengerError("OFFLINE", "The server cannot be reached.");
    }
    if (status === 200) return content as T;
    throw problemError(status, (content as Partial<Problem> | null) ?? false);
  }
}

/** Sends a request with the progress of its body, which `fetch` does not show. @throws what is not an answer */
function sendWithProgress(
  url: string,
  body: Blob,
  options: { headers: Record<string, string>; signal: AbortSignal; onProgress(sentBytes: number): void },
): Promise<{ status: number; content: unknown }> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("PUT", url);
    for (const [name, value] of Object.entries(options.headers)) request.setRequestHeader(name, value);
    request.responseType = "json";
    request.upload.onprogress = ({ loaded }) => options.onProgress(loaded);
    request.onload = () => resolve({ status: request.status, content: request.response });
    request.onerror = reject;
    request.onabort = reject;
    options.signal.addEventListener("abort", () => request.abort());
    request.send(body);
  });
}

/** A success that cannot be read was cut, or is the page of a captive portal. */
const contentOf = (response: FetchResponse): Promise<unknown> =>
  response.json().catch((error) => response.ok && Promise.reject(error));

const codesOfStatuses: Record<number, ErrorCode> = { 413: "TOO_LARGE", 429: "RATE_LIMITED" };

/** Proxies answer without a problem: then the status decides. */
function problemError(status: number, problem: Partial<Problem> | false): MessengerError {
  const fallback = codesOfStatuses[status] ?? (status >= 500 ? "UNAVAILABLE" : "NOT_FOUND");
  const { code = fallback, detail = `The server answered with status ${status}.`, field, retryAfterMs } = problem || {};
  return new MessengerError(code, detail, { field, retryAfterMs });
}
