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
  options: { method: string; headers: Record<string, string>; body?: string; signal?: AbortSignal },
) => Promise<FetchResponse>;

const timeoutMs = 20_000;

/** The platform's own. */
export const defaultFetch: Fetch = (url, options) => globalThis.fetch(url, options);

/** The HTTP routes of a server. */
export class Http {
  /** @param baseUrl the address of the server, without a slash at its end */
  constructor(
    private readonly baseUrl: string,
    private readonly fetch: Fetch,
  ) {}

  /**
   * Makes a request with a JSON body and returns the body of the response.
   * @throws MessengerError with the code of the server, or `OFFLINE` if there was no response
   */
  async request<T>(method: string, path: string, options: { token?: string; body?: object } = {}): Promise<T> {
    const { token, body } = options;
    const headers: Record<string, string> = {};
    if (body) headers["Content-Type"] = "application/json";
    if (token) headers.Authorization = `Bearer ${token}`;
    let response: FetchResponse;
    let content: unknown;
    try {
      response = await this.fetch(this.baseUrl + path, {
        method,
        headers,
        ...(body && { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(timeoutMs),
      });
      const isEmpty = response.status === 204 || response.status === 202;
      // A success that cannot be read was cut, or is the page of a captive portal.
      content = isEmpty ? undefined : await response.json().catch((error) => response.ok && Promise.reject(error));
    } catch {
      throw new MessengerError("OFFLINE", "The server cannot be reached.");
    }
    if (response.ok) return content as T;
    throw problemError(response.status, content as Partial<Problem> | false);
  }
}

/** Proxies answer without a problem: then the status decides. */
function problemError(status: number, problem: Partial<Problem> | false): MessengerError {
  const fallback: ErrorCode = status === 429 ? "RATE_LIMITED" : status >= 500 ? "UNAVAILABLE" : "NOT_FOUND";
  const { code = fallback, detail = `The server answered with status ${status}.`, field, retryAfterMs } = problem || {};
  return new MessengerError(code, detail, { field, retryAfterMs });
}
