import { randomBytes } from "node:crypto";
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import sharp from "sharp";
import { announce, download, linkTo, putContent, upload } from "./support/files.ts";
import { useMessenger } from "./support/messenger.ts";
import { plainPicture } from "./support/pictures.ts";
import { openAndSend, readToEnd } from "./support/raw-http.ts";
import { annAndBob, createGroup, participant, unknownId } from "./support/scenes.ts";

const messenger = useMessenger({ FILES_PER_USER_BYTES: "2000000", FILE_MAX_BYTES: "1000000" });

const png = (width = 800, height = 600) => plainPicture(width, height, { r: 10, g: 120, b: 200 });

test("a file is announced, uploaded, sent and read by both sides of the dialog", async () => {
  const { ann, bob } = await annAndBob(messenger());
  const content = await png();
  const announced = await messenger().http("POST", "/files", {
    token: ann.token,
    body: { name: "holiday.png", size: content.length, mediaType: "text/html" },
  });
  expect(announced.status).toBe(201);
  const { fileId, uploadUrl, expiresAt } = announced.body;
  expect(uploadUrl).toBe(`/files/${fileId}/content`);
  expect(new Date(expiresAt).getTime()).toBeGreaterThan(Date.now() + 80_000_000);
  const put = await putContent(messenger(), ann, fileId, content);
  expect(put.status).toBe(200);
  const { file } = put.body;
  expect(file).toMatchObject({
    id: fileId,
    name: "holiday.png",
    size: content.length,
    mediaType: "image/png",
    width: 800,
    height: 600,
  });
  expect(Buffer.from(file.thumbHash, "base64").length).toBeGreaterThan(4);

  const answer = await ann.device.request("privateMessage", { receiverId: bob.id, content: "", fileIds: [fileId] });
  expect(answer.params.item).toMatchObject({ message: "", files: [file] });
  expect((await bob.device.nextPush("privateMessage")).params.item.files).toEqual([file]);
  const { chatId } = answer.params.item;
  const page = await bob.device.request("getMessages", { chatId, limit: 5 });
  expect(page.params.data).toMatchObject([{ files: [file] }]);
  const sync = await bob.device.request("sync", { chats: [] });
  expect(sync.params.item.chats).toMatchObject([{ messages: [{ files: [file] }] }]);
  const rows = await bob.device.request("getlatestMessageDialog", { receiverId: ann.id, limit: 5, page: 1 });
  expect(rows.params.data).toMatchObject([{ files: [file] }]);
  const list = await bob.device.request("listLastMessage", { limit: 5, page: 1 });
  expect(list.params.data).toMatchObject([{ files: [file] }]);

  for (const { token } of [ann, bob]) {
    const read = await download(messenger(), `/files/${fileId}`, { token });
    expect(read.status).toBe(200);
    expect(read.content.equals(content)).toBe(true);
  }
  const thumbnail = await download(messenger(), `/files/${fileId}?size=320`, { token: bob.token });
  expect(await sharp(thumbnail.content).metadata()).toMatchObject({ format: "webp", width: 320, height: 240 });
});

test("headers keep browsers from running or caching what a file contains", async () => {
  const ann = await participant(messenger());
  const image = await upload(messenger(), ann, await png(), "a.png");
  const read = await download(messenger(), `/files/${image}`, { token: ann.token });
  expect(Object.fromEntries(read.headers)).toMatchObject({
    "content-type": "image/png",
    "content-disposition": "inline; filename=a.png",
    "x-content-type-options": "nosniff",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "private, no-cache",
    "content-security-policy":
      "sandbox; default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'",
  });
  for (const [name, content] of [
    ["page.png", "<!doctype html><script>alert(1)</script>"],
    ["a.svg", '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'],
    ["a.pdf", "%PDF-1.7\n%âãÏÓ\n"],
  ] as const) {
    const id = await upload(messenger(), ann, content, name);
    const { headers } = await download(messenger(), `/files/${id}`, { token: ann.token });
    expect(headers.get("content-type")).toBe("application/octet-stream");
    expect(headers.get("content-disposition")).toBe(`attachment; filename=${name}`);
    expect((await download(messenger(), `/files/${id}?size=320`, { token: ann.token })).status).toBe(404);
  }
});

test("names lose folders, control characters and directions, and keep their ending", async () => {
  const ann = await participant(messenger());
  const nameOf = async (name: string) => {
    const { body } = await putContent(
      messenger(),
      ann,
      await announce(messenger(), ann, { name, size: 0 }),
      Buffer.alloc(0),
    );
    return body.file.name;
  };
  expect(await nameOf("../../etc/passwd")).toBe("passwd");
  expect(await nameOf("C:\\photos\\a.jpg")).toBe("a.jpg");
  expect(await nameOf("invoice\u202Egpj.exe")).toBe("invoicegpj.exe");
  expect(await nameOf("a\tb\u0007c.txt")).toBe("abc.txt");
  expect(await nameOf("..")).toBe("file");
  expect(await nameOf(`${"x".repeat(300)}.jpeg`)).toMatch(/^x{195}\.jpeg$/);
  expect(await nameOf("Урлаг 🎨.png")).toBe("Урлаг 🎨.png");
  const id = await upload(messenger(), ann, "x", 'Урлаг "🎨".txt');
  const { headers } = await download(messenger(), `/files/${id}`, { token: ann.token });
  expect(headers.get("content-disposition")).toContain("filename*=UTF-8''%D0%A3");
  const withNul = await messenger().http("POST", "/files", { token: ann.token, body: { name: "a\0b", size: 1 } });
  expect([withNul.status, withNul.body.code]).toEqual([400, "VALIDATION"]);
});

test("the same content again succeeds, other content is a conflict", async () => {
  const ann = await participant(messenger());
  const fileId = await upload(messenger(), ann, "the content");
  expect(await putContent(messenger(), ann, fileId, Buffer.from("the content"))).toMatchObject({
    status: 200,
    body: { file: { id: fileId, size: 11 } },
  });
  const other = await putContent(messenger(), ann, fileId, Buffer.from("The content"));
  expect([other.status, other.body.code]).toEqual([409, "CONFLICT"]);
  const { content } = await download(messenger(), `/files/${fileId}`, { token: ann.token });
  expect(String(content)).toBe("the content");
});

test("a content of another size, without a length, or cut off is refused, and nothing is kept", async () => {
  const ann = await participant(messenger());
  const fileId = await announce(messenger(), ann, { size: 10 });
  for (const content of ["short", "much too long"]) {
    const { status, body } = await putContent(messenger(), ann, fileId, Buffer.from(content));
    expect([status, body.code]).toEqual([422, "UPLOAD_MISMATCH"]);
  }
  const head = `PUT /files/${fileId}/content HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${ann.token}\r\n`;
  const chunked = await openAndSend(
    messenger().port,
    `${head}Transfer-Encoding: chunked\r\nConnection: close\r\n\r\na\r\n0123456789\r\n0\r\n\r\n`,
  );
  expect(await readToEnd(chunked)).toMatch(/^HTTP\/1\.1 411 [\s\S]*"VALIDATION"/);
  const cut = await openAndSend(messenger().port, `${head}Content-Length: 10\r\n\r\n01234`);
  cut.destroy();
  const incoming = join(messenger().dataDir, "files", "incoming");
  const isEmpty = async () => (await readdir(incoming)).length === 0;
  while (!(await isEmpty())) await new Promise(setImmediate);
  const pending = await download(messenger(), `/files/${fileId}`, { token: ann.token });
  expect([pending.status, JSON.parse(String(pending.content)).code]).toEqual([409, "NOT_READY"]);
  // The server may not have noticed yet that the upload before was cut off.
  const putAll = () => putContent(messenger(), ann, fileId, Buffer.from("0123456789"));
  let answer = await putAll();
  while (answer.body.code === "NOT_READY") answer = await putAll();
  expect(answer.status).toBe(200);
});

test("an upload that stalls is given up with 408", async () => {
  const ann = await participant(messenger());
  const fileId = await announce(messenger(), ann, { size: 10 });
  const socket = await openAndSend(
    messenger().port,
    `PUT /files/${fileId}/content HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${ann.token}\r\nContent-Length: 10\r\n\r\n01234`,
  );
  expect(await readToEnd(socket)).toMatch(/^HTTP\/1\.1 408 [\s\S]*"UPLOAD_MISMATCH"/);
}, 60_000);

test("a file that is too large, or exceeds the quota, is refused when it is announced", async () => {
  const ann = await participant(messenger());
  const post = (size: number) => messenger().http("POST", "/files", { token: ann.token, body: { name: "a", size } });
  const tooLarge = await post(1_000_001);
  expect([tooLarge.status, tooLarge.body.code]).toEqual([413, "TOO_LARGE"]);
  expect((await post(1_000_000)).status).toBe(201);
  expect((await post(999_999)).status).toBe(201);
  const overQuota = await post(2);
  expect([overQuota.status, overQuota.body.code]).toEqual([403, "QUOTA"]);
});

test("a range, an unchanged file and a range beyond the end", async () => {
  const ann = await participant(messenger());
  const fileId = await upload(messenger(), ann, "0123456789");
  const get = (headers: Record<string, string>) =>
    download(messenger(), `/files/${fileId}`, { token: ann.token, headers });
  const part = await get({ range: "bytes=2-4" });
  expect([part.status, String(part.content), part.headers.get("content-range")]).toEqual([206, "234", "bytes 2-4/10"]);
  expect(String((await get({ range: "bytes=-3" })).content)).toBe("789");
  const beyond = await get({ range: "bytes=10-20" });
  expect([beyond.status, beyond.headers.get("content-range")]).toEqual([416, "bytes */10"]);
  for (const range of ["bytes=0-1,4-5", "bytes=x", "lines=1-2"]) {
    const whole = await get({ range });
    expect([whole.status, String(whole.content)]).toEqual([200, "0123456789"]);
  }
  const etag = part.headers.get("etag") ?? "";
  expect((await get({ "if-none-match": etag })).status).toBe(304);
  expect((await get({ range: "bytes=2-4", "if-range": '"other"' })).status).toBe(200);
  const head = await download(messenger(), `/files/${fileId}`, { token: ann.token, method: "HEAD" });
  expect([head.status, head.headers.get("content-length"), head.content.length]).toEqual([200, "10", 0]);
  const wrongSize = await download(messenger(), `/files/${fileId}?size=100`, { token: ann.token });
  expect(wrongSize.status).toBe(400);
});

test("a message takes only files that are ready, the sender's own and in no other message", async () => {
  const { ann, bob } = await annAndBob(messenger());
  const send = (fileIds: string[], more = {}) =>
    ann.device.requestError("privateMessage", { receiverId: bob.id, content: "see", fileIds, ...more });
  const mine = await upload(messenger(), ann);
  const texts = new Set<string>();
  for (const fileIds of [
    [await upload(messenger(), bob)],
    [await announce(messenger(), ann, { size: 3 })],
    ["018996c8-7d2a-7c41-9d4e-2f3b6a1c0d5e"],
    [mine, mine],
  ]) {
    const { code, message } = await send(fileIds);
    expect(code).toBe("CONFLICT");
    texts.add(message);
  }
  expect(texts.size).toBe(1);
  expect(await send([])).toMatchObject({ code: "VALIDATION", field: "params.fileIds" });
  expect(await send(["nonsense"])).toMatchObject({ code: "VALIDATION", field: "params.fileIds[0]" });
  expect(await ann.device.requestError("privateMessage", { receiverId: bob.id, content: " " })).toMatchObject({
    code: "VALIDATION",
    field: "params.content",
  });
  // Nothing was stored: the first message of the dialog is this one.
  const params = { receiverId: bob.id, content: "see", fileIds: [mine], clientMessageId: "client-id-1" };
  const { item } = (await ann.device.request("privateMessage", params)).params;
  expect(item).toMatchObject({ seq: 1, files: [{ id: mine }] });
  expect((await ann.device.request("privateMessage", params)).params.item).toMatchObject({
    messageId: item.messageId,
    duplicate: true,
    files: [{ id: mine }],
  });
  expect((await send([mine])).code).toBe("CONFLICT");
  expect((await send([await upload(messenger(), ann)], { clientMessageId: "client-id-1" })).code).toBe("CONFLICT");
});

test("of many sends that claim one file at once, one is stored", async () => {
  const { ann, bob } = await annAndBob(messenger());
  const fileId = await upload(messenger(), ann);
  const groupId = await createGroup(ann.device, [bob]);
  const params = { content: "mine", fileIds: [fileId] };
  const answers = await Promise.allSettled(
    Array.from({ length: 10 }, (_, index) =>
      index % 2 === 0
        ? ann.device.request("privateMessage", { receiverId: bob.id, ...params })
        : ann.device.request("messageInGroup", { groupId, ...params }),
    ),
  );
  expect(answers.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  const refused = answers.filter(
    (answer) => answer.status === "rejected" && String(answer.reason).includes("CONFLICT"),
  );
  expect(refused).toHaveLength(9);
});

test("strangers, former members, dead links and deleted messages all get the same 404", async () => {
  const { ann, bob } = await annAndBob(messenger());
  const stranger = await participant(messenger());
  const groupId = await createGroup(ann.device, [bob]);
  const fileId = await upload(messenger(), ann);
  const { item } = (await ann.device.request("messageInGroup", { groupId, content: "see", fileIds: [fileId] })).params;
  const path = `/files/${fileId}`;
  const unknown = await download(messenger(), "/files/018996c8-7d2a-7c41-9d4e-2f3b6a1c0d5e", { token: ann.token });
  expect(unknown.status).toBe(404);
  const detailOf = ({ content }: { content: Buffer }) => JSON.parse(String(content)).detail;
  const expectGone = async (url: string, token?: string) => {
    const answer = await download(messenger(), url, token ? { token } : {});
    expect([answer.status, detailOf(answer)]).toEqual([404, detailOf(unknown)]);
  };
  await expectGone(path, stranger.token);
  await expectGone("/files/nonsense", ann.token);
  await expectGone(`/files/${"-".repeat(36)}`, ann.token);
  expect(await linkTo(messenger(), stranger, fileId)).toBeUndefined();

  const link = (await linkTo(messenger(), bob, fileId)) ?? "";
  expect((await download(messenger(), link)).status).toBe(200);
  const etag = (await download(messenger(), link)).headers.get("etag") ?? "";
  await expectGone(link.replace(fileId, await upload(messenger(), ann)));
  await expectGone(`${link.slice(0, -3)}xyz`);
  await expectGone(link.replace(/link=\d+/, `link=${ann.id}`));
  await expectGone(`${path}?link=`);
  expect((await download(messenger(), path)).status).toBe(401);

  await ann.device.request("removeUserFromGroup", { groupId, userId: bob.id });
  await expectGone(link);
  await expectGone(path, bob.token);
  expect((await download(messenger(), link, { headers: { "if-none-match": etag } })).status).toBe(404);

  await ann.device.request("addUserInGroup", { groupId, userId: bob.id });
  expect((await download(messenger(), link)).status).toBe(200);
  await messenger().http("POST", "/auth/logout", { token: bob.token });
  await expectGone(link);

  const own = (await linkTo(messenger(), ann, fileId)) ?? "";
  await ann.device.request("deleteMessage", { messageId: item.messageId });
  await expectGone(own);
  await expectGone(path, ann.token);
});

test("a file below the cleared position of a dialog is hidden from the one who cleared it", async () => {
  const { ann, bob } = await annAndBob(messenger());
  const fileId = await upload(messenger(), ann);
  await ann.device.request("privateMessage", { receiverId: bob.id, content: "", fileIds: [fileId] });
  await bob.device.request("clearDialog", { receiverId: ann.id });
  expect((await download(messenger(), `/files/${fileId}`, { token: bob.token })).status).toBe(404);
  expect((await download(messenger(), `/files/${fileId}`, { token: ann.token })).status).toBe(200);
});

test("another user can neither upload nor see a file before it is sent", async () => {
  const { ann, bob } = await annAndBob(messenger());
  const fileId = await announce(messenger(), ann, { size: 4 });
  const put = await putContent(messenger(), bob, fileId, Buffer.from("evil"));
  expect([put.status, put.body.code]).toEqual([404, "NOT_FOUND"]);
  expect((await download(messenger(), `/files/${fileId}`, { token: bob.token })).status).toBe(404);
  expect(
    (await messenger().http("POST", "/files/links", { token: bob.token, body: { ids: [fileId] } })).body.data,
  ).toEqual([]);
});

test("a file that disappears from the storage is a 404, and the server goes on", async () => {
  const ann = await participant(messenger());
  const fileId = await upload(messenger(), ann);
  await rm(join(messenger().dataDir, "files", "objects"), { recursive: true });
  expect((await download(messenger(), `/files/${fileId}`, { token: ann.token })).status).toBe(404);
  await upload(messenger(), ann);
});

test("a user uploads at most three files at once", async () => {
  const ann = await participant(messenger());
  const ids = await Promise.all(Array.from({ length: 4 }, () => announce(messenger(), ann, { size: 10 })));
  const head = (id: string | undefined) =>
    `PUT /files/${id}/content HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${ann.token}\r\nContent-Length: 10\r\n\r\n`;
  const started = [];
  for (const id of ids.slice(0, 3)) started.push(await openAndSend(messenger().port, `${head(id)}01234`));
  const tooMany = async () => (await putContent(messenger(), ann, ids[3] ?? "", randomBytes(10))).status;
  // The other three have arrived at the service once this one is rejected.
  const incoming = join(messenger().dataDir, "files", "incoming");
  while ((await readdir(incoming).catch(() => [])).length < 3) await new Promise(setImmediate);
  expect(await tooMany()).toBe(429);
  for (const socket of started) socket.destroy();
});

test("an unknown receiver is refused before files are looked at, and the files stay usable", async () => {
  const { ann, bob } = await annAndBob(messenger());
  const fileId = await upload(messenger(), ann);
  expect(
    (await ann.device.requestError("privateMessage", { receiverId: unknownId, content: "", fileIds: [fileId] })).code,
  ).toBe("NOT_FOUND");
  await ann.device.request("privateMessage", { receiverId: bob.id, content: "", fileIds: [fileId] });
});
