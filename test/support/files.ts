import type { TestMessenger } from "./messenger.ts";
import type { Participant } from "./scenes.ts";

// biome-ignore lint/suspicious/noExplicitAny: a response body, of which tests check any field
type AnyBody = any;

type Uploader = Pick<Participant, "token">;

/** Announces a file. */
export async function announce(
  { port }: Pick<TestMessenger, "port">,
  { token }: Uploader,
  file: { name?: string; size: number },
): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${port}/files`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify({ name: "file.bin", ...file }),
  });
  const body: AnyBody = await response.json();
  if (response.status !== 201) throw new Error(`the file was not announced: ${JSON.stringify(body)}`);
  return body.fileId;
}

/** Sends the content of a file. */
export async function putContent(
  { port }: Pick<TestMessenger, "port">,
  { token }: Uploader,
  fileId: string,
  content: Uint8Array,
): Promise<{ status: number; body: AnyBody }> {
  const response = await fetch(`http://127.0.0.1:${port}/files/${fileId}/content`, {
    method: "PUT",
    headers: { authorization: `Bearer ${token}` },
    body: Buffer.from(content),
  });
  return { status: response.status, body: await response.json() };
}

/** Uploads a file and returns its id. */
export async function upload(
  messenger: Pick<TestMessenger, "port">,
  uploader: Uploader,
  content: Uint8Array | string = "some content",
  name = "file.bin",
): Promise<string> {
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  const fileId = await announce(messenger, uploader, { name, size: bytes.length });
  const { status, body } = await putContent(messenger, uploader, fileId, bytes);
  if (status !== 200) throw new Error(`the file was not uploaded: ${JSON.stringify(body)}`);
  return fileId;
}

/** Reads a path with a token or by a link. */
export async function download(
  { port }: Pick<TestMessenger, "port">,
  path: string,
  options: { token?: string; headers?: Record<string, string>; method?: string } = {},
): Promise<{ status: number; headers: Headers; content: Buffer }> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, {
    method: options.method ?? "GET",
    headers: { ...(options.token && { authorization: `Bearer ${options.token}` }), ...options.headers },
  });
  return {
    status: response.status,
    headers: response.headers,
    content: Buffer.from(await response.arrayBuffer()),
  };
}

/** Makes a link to a file; undefined if the user may not read it. */
export async function linkTo(
  messenger: Pick<TestMessenger, "http">,
  { token }: Uploader,
  fileId: string,
): Promise<string | undefined> {
  const { body } = await messenger.http("POST", "/files/links", { token, body: { ids: [fileId] } });
  return body.data[0]?.url;
}
