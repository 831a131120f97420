import { describe, expect, test } from "@jest/globals";
import type { ErrorFrame } from "../src/contract/frames.ts";
import { jsonSchema } from "../src/contract/schema.ts";
import type { AnyMessageType } from "../src/ws/message-type.ts";
import { registry } from "../src/ws/registry.ts";
import type { Device } from "./support/device.ts";
import { type TestUser, useMessenger } from "./support/messenger.ts";

/*
 * Everything in a frame that is not as documented: one error that names the field and the rule, no row, and a socket
 * that goes on working. Frames are written as raw text, because half of what is wrong with them cannot be made by
 * JSON.stringify: 1e400, lone surrogates, a key "__proto__".
 */

const messenger = useMessenger({ RATE_LIMITS: "off" });

/** What to send, and the one error it must get. */
interface BadFrame {
  text: string;
  type: string;
  code: string;
  /** What the message must say. */
  says: RegExp;
  requestId?: string | number;
}

/** One object as JSON text, of values that are JSON text already; a key may be "__proto__". */
const objectText = (entries: Iterable<readonly [string, string]>): string =>
  `{${[...entries].map(([key, value]) => `${JSON.stringify(key)}:${value}`).join(",")}}`;

/** So few that a client who sends them is not yet taken for a broken one. */
const badFramesPerSocket = 15;

const errorKeys = new Set(["error", "type", "message", "code", "requestId", "retryable", "retryAfterMs"]);
const insides =
  /\bSQL|SELECT |INSERT |UPDATE |sequelize|postgres|pglite|violates|constraint|syntax|unexpected token|stack|\.[jt]s\b|\bat .+:\d+|<\/?\w+>/i;

/** What every error has in common, whatever it is about. */
function expectDecent(frame: ErrorFrame): void {
  expect(Object.keys(frame).filter((key) => !errorKeys.has(key))).toEqual([]);
  expect(frame).toMatchObject({ error: true, type: expect.any(String), code: expect.stringMatching(/^[A-Z_]+$/) });
  expect(frame.message).toMatch(/\w/);
  expect(frame.message.length).toBeLessThan(300);
  expect(frame.message).not.toMatch(insides);
}

/** What the socket answers to these texts before it answers a proper request that is sent after them. */
async function answersTo(device: Device, texts: readonly string[]) {
  const before = device.frames.length;
  for (const text of texts) device.send(text);
  await device.settle();
  return device.frames
    .slice(before)
    .filter((frame) => !frame.params?.isBroadcast)
    .slice(0, -1);
}

/** Sends the frames of a table from several sockets of one person, and compares each answer. */
async function expectRefused(sender: TestUser, badFrames: readonly BadFrame[]): Promise<void> {
  for (let start = 0; start < badFrames.length; start += badFramesPerSocket) {
    const batch = badFrames.slice(start, start + badFramesPerSocket);
    const device = await sender.connect();
    const answers = await answersTo(
      device,
      batch.map(({ text }) => text),
    );
    const expected = batch.map(({ text, type, code, says, requestId }) => ({
      text: text.slice(0, 200),
      answer: {
        error: true,
        type,
        code,
        message: expect.stringMatching(says),
        ...(requestId !== undefined && { requestId }),
      },
    }));
    expect(answers.map((answer, index) => ({ text: batch[index]?.text.slice(0, 200), answer }))).toEqual(expected);
    for (const answer of answers) expectDecent(answer);
    await device.close();
  }
}

/** What a person's list of chats shows, all of it: whatever someone writes, leaves a trace here. */
async function chatsOf(device: Device) {
  const { params } = await device.request("listLastMessage", { limit: 100, page: 1 });
  return params.data;
}

// ---- what can be wrong with any frame -------------------------------------------------------------------------------

const unreadable: BadFrame[] = [
  "",
  " ",
  "hello",
  "{",
  '{"type":"listLastMessage"',
  "{'type':'listLastMessage'}",
  '{"type":"listLastMessage","params":{"limit":1,"page":1,}}',
  '{"type":"listLastMessage"} {"type":"listLastMessage"}',
  '\ufeff{"type":"listLastMessage","params":{"limit":1,"page":1}}',
  '{"type":"listLastMessage","params":{"limit":NaN,"page":1}}',
  '{"type":"privateMessage","params":{"receiverId":1,"content":"a raw \n line break"}}',
  "undefined",
  "<html></html>",
  "null",
  "true",
  "[]",
  '[{"type":"listLastMessage","params":{"limit":1,"page":1}}]',
  "7",
  '"listLastMessage"',
  "[".repeat(16_000),
  `${"[".repeat(16_000)}${"]".repeat(16_000)}`,
].map((text) => ({ text, type: "processor", code: "BAD_JSON", says: /^A frame must be one JSON object$/ }));

const unknownTypes: BadFrame[] = [
  undefined,
  '"nosuchtype"',
  '"listlastmessage"',
  '" listLastMessage"',
  '""',
  '"processor"',
  '"__proto__"',
  '"constructor"',
  '"toString"',
  '"hasOwnProperty"',
  "null",
  "1",
  "true",
  '["listLastMessage"]',
  '{"type":"listLastMessage"}',
].map((type) => ({
  text: objectText([
    ...(type === undefined ? [] : ([["type", type]] as const)),
    ["params", '{"limit":1,"page":1}'],
    ["requestId", '"unknown"'],
  ]),
  type: "processor",
  code: "UNKNOWN_TYPE",
  says: /^There is no such type$/,
  requestId: "unknown",
}));

const badRequestIds = ["null", '""', `"${"r".repeat(65)}"`, '"\\u0000"', '"\\ud800"', "1.5", "1e400", "true"]
  .concat(["9007199254740992", "[]", '["a"]', "{}", '{"a":1}'])
  .map((text) => ({ text, says: /^"requestId" .*(must|cannot)/ }));

// ---- what can be wrong with a field ---------------------------------------------------------------------------------

const notANumber = ['"1"', "true", "[]", "[1]", "{}", "null"];
const notText = ["1", "true", "[]", '["a"]', "{}", "null"];

/** Wrong in every field of that JSON type. */
const wrongInType: Record<string, { text: string; says: RegExp }[]> = {
  integer: [
    ...notANumber.map((text) => ({ text, says: /must be a number$/ })),
    { text: "1.5", says: /must be an integer$/ },
    { text: "-1", says: /must be greater than or equal to \d+$/ },
    { text: "9007199254740992", says: /must be (a safe number|less than or equal to \d+)$/ },
    { text: "1e400", says: /cannot be infinity$/ },
    { text: "-1e400", says: /cannot be infinity$/ },
  ],
  string: [
    ...notText.map((text) => ({ text, says: /must be (a string|one of .*)$/ })),
    { text: '""', says: /must/ },
    { text: '"with a zero \\u0000"', says: /must/ },
    { text: '"\\u0000"', says: /must/ },
    { text: '"half a pair \\ud83d"', says: /must/ },
    { text: '"\\ude00\\ud83d"', says: /must/ },
  ],
  array: ['"1"', "1", "true", "{}", "null"].map((text) => ({ text, says: /must be an array$/ })),
};

const idRules = [
  { text: "0", says: /must be greater than or equal to 1$/ },
  { text: "-1", says: /must be greater than or equal to 1$/ },
  { text: "1.5", says: /must be an integer$/ },
  { text: "9007199254740992", says: /must be a safe number$/ },
  { text: "1e400", says: /cannot be infinity$/ },
];
const blank = ['" "', '"   "', '"\\n"', '"\\r\\n\\t"', '"\\u00a0"', '"\\u2003 \\u3000"', '"\\u2028"'].map((text) => ({
  text,
  says: /must not be blank/,
}));
const clientMessageIdRule = /must be 8 to 64 printable ASCII characters$/;

/** Wrong by the documented limits of the field of that name. */
const wrongInField: Record<string, { text: string; says: RegExp }[]> = {
  userId: idRules,
  receiverId: idRules,
  groupId: idRules,
  chatId: idRules,
  messageId: idRules,
  limit: [
    ...["0", "-1"].map((text) => ({ text, says: /must be greater than or equal to 1$/ })),
    ...["101", "1e9"].map((text) => ({ text, says: /must be less than or equal to 100$/ })),
    { text: '"5"', says: /must be a number$/ },
  ],
  page: [
    ...["0", "-1"].map((text) => ({ text, says: /must be greater than or equal to 1$/ })),
    ...["2147483648", "1e15"].map((text) => ({ text, says: /must be less than or equal to 2147483647$/ })),
  ],
  content: [...blank, { text: `"${"x".repeat(4097)}"`, says: /less than or equal to 4096/ }],
  groupName: [...blank, { text: `"${"x".repeat(65)}"`, says: /less than or equal to 64/ }],
  clientMessageId: [
    "1234567",
    "x".repeat(65),
    "12345678\\n",
    "caf\\u00e9 12345",
    "tab\\tstop12",
    "\\u0000".repeat(8),
  ].map((text) => ({ text: `"${text}"`, says: clientMessageIdRule })),
};

interface Field {
  name: string;
  required: boolean;
  jsonType: string;
}

function fieldsOf(messageType: AnyMessageType): Field[] {
  const { properties = {}, required = [] } = jsonSchema(messageType.params);
  return Object.entries(Object(properties)).map(([name, rule]) => ({
    name,
    required: Array.isArray(required) && required.includes(name),
    jsonType: String(Object(rule).type),
  }));
}

const exampleOf = (messageType: AnyMessageType): Map<string, string> =>
  new Map(Object.entries(messageType.example.params).map(([name, value]) => [name, JSON.stringify(value)]));

/** A frame of this type, right but for what is given. */
function frameOf(messageType: AnyMessageType, given: { params?: string | undefined; requestId?: string } = {}): string {
  const params = "params" in given ? given.params : objectText(exampleOf(messageType));
  return objectText([
    ["type", JSON.stringify(messageType.type)],
    ...(params === undefined ? [] : ([["params", params]] as const)),
    ["requestId", given.requestId ?? "0"],
  ]);
}

/** Everything that can be wrong with a frame of this type. */
function badFramesOf(messageType: AnyMessageType): BadFrame[] {
  const { type } = messageType;
  const refusal = (text: string, says: RegExp): BadFrame => ({ text, type, code: "VALIDATION", says, requestId: 0 });
  const withParam = (name: string, text: string): string =>
    frameOf(messageType, { params: objectText(new Map(exampleOf(messageType)).set(name, text)) });
  const withoutParam = (name: string): string => {
    const params = exampleOf(messageType);
    params.delete(name);
    return frameOf(messageType, { params: objectText(params) });
  };
  const prototypeKey = /"__proto__" is not allowed/;
  const right = objectText(exampleOf(messageType)).slice(0, -1);

  return [
    refusal(frameOf(messageType, { params: undefined }), /^"params" is required$/),
    ...["null", "[]", "[{}]", '"{}"', "1", "true"].map((params) =>
      refusal(frameOf(messageType, { params }), /^"params" must be of type object$/),
    ),
    ...fieldsOf(messageType).flatMap(({ name, required, jsonType }) => [
      ...(required ? [refusal(withoutParam(name), new RegExp(`^"${name}" is required$`))] : []),
      ...[...(wrongInType[jsonType] ?? []), ...(wrongInField[name] ?? [])].map(({ text, says }) =>
        refusal(withParam(name, text), new RegExp(`^"${name}" .*${says.source}`)),
      ),
    ]),
    refusal(frameOf(messageType, { params: `${right},"__proto__":{"limit":1}}` }), prototypeKey),
    refusal(frameOf(messageType, { params: `${right},"__proto__":null}` }), prototypeKey),
    refusal(frameOf(messageType, { params: `${right},"more":[{"__proto__":1}]}` }), prototypeKey),
    ...['{"type":"listLastMessage"}', "null", '"x"'].map((value) =>
      refusal(`${frameOf(messageType).slice(0, -1)},"__proto__":${value}}`, prototypeKey),
    ),
    ...badRequestIds.map(({ text, says }): BadFrame => {
      const { requestId: _none, ...unread } = refusal(frameOf(messageType, { requestId: text }), says);
      return unread;
    }),
  ];
}

describe("a frame that is not as documented", () => {
  test("that is no JSON object is answered with one error, and the socket goes on", async () => {
    await expectRefused(await messenger().person(), unreadable);
  });

  test("of an unknown type, were it a name every object knows, is told that there is no such type", async () => {
    await expectRefused(await messenger().person(), unknownTypes);
  });

  test("of an unknown type with a wrong requestId is told of the requestId", async () => {
    await expectRefused(
      await messenger().person(),
      badRequestIds.map(({ text, says }) => ({
        text: `{"type":"nosuchtype","requestId":${text}}`,
        type: "processor",
        code: "VALIDATION",
        says,
      })),
    );
  });

  for (const messageType of registry.values()) {
    test(`of type ${messageType.type} is told which field breaks which rule, and writes nothing`, async () => {
      const sender = await messenger().person();
      const device = await sender.connect();
      await device.request("privateMessage", { receiverId: sender.id, content: "the only message" });
      const before = await chatsOf(device);
      await expectRefused(sender, badFramesOf(messageType));
      expect(await chatsOf(device)).toEqual(before);
      expect(before).toHaveLength(1);
      expect(device.pushes()).toEqual([]);
    });
  }

  test("has something wrong to offer here for every field of every type", () => {
    const fields = [...registry.values()].flatMap((messageType) =>
      fieldsOf(messageType).map((field) => ({ type: messageType.type, ...field })),
    );
    expect(fields.filter(({ name, jsonType }) => !wrongInField[name] && !wrongInType[jsonType])).toEqual([]);
  });
});

describe("what a frame may hold beyond its fields", () => {
  test("a requestId comes back in the answer, be it a success, a refusal or an unknown type", async () => {
    const device = await (await messenger().person()).connect();
    const requestIds = [
      "a",
      " ",
      "r".repeat(64),
      "0",
      "7",
      "постой 👋",
      "line\nbreak",
      0,
      -1,
      7,
      2 ** 53 - 1,
      -(2 ** 53 - 1),
    ];
    for (const requestId of requestIds) {
      const answers = await answersTo(
        device,
        [
          { type: "listLastMessage", params: { limit: 1, page: 1 }, requestId },
          { type: "leaveGroup", params: { groupId: 2 ** 53 - 1 }, requestId },
        ].map((frame) => JSON.stringify(frame)),
      );
      expect(answers).toEqual([
        expect.objectContaining({ success: true, requestId }),
        expect.objectContaining({ code: "NOT_MEMBER", requestId }),
      ]);
      const [unknown] = await answersTo(await (await messenger().person()).connect(), [
        JSON.stringify({ type: "nosuchtype", requestId }),
      ]);
      expect(unknown).toMatchObject({ code: "UNKNOWN_TYPE", requestId });
    }
  });

  test("no requestId is made up for a frame that had none", async () => {
    const device = await (await messenger().person()).connect();
    const answers = await answersTo(device, [
      '{"type":"listLastMessage","params":{"limit":1,"page":1}}',
      '{"type":"leaveGroup","params":{"groupId":1}}',
      '{"type":"nosuchtype"}',
    ]);
    expect(answers).toHaveLength(3);
    for (const answer of answers) expect(answer).not.toHaveProperty("requestId");
  });

  test("unknown keys are ignored, in the frame and in its params, however deep they go", async () => {
    const device = await (await messenger().person()).connect();
    const deep = `${"[".repeat(8000)}${"]".repeat(8000)}`;
    const wide = `{${Array.from({ length: 500 }, (_, index) => `"key${index}":null`).join()}}`;
    const texts = ["1", '{"a":{"b":[]}}', '"\\u0000\\ud800"', wide, deep].map(
      (extra) =>
        `{"v":2,"extra":${extra},"type":"newGroup","params":{"groupName":"n","constructor":1,"extra":${extra}},"requestId":1}`,
    );
    const answers = await answersTo(device, texts);
    expect(answers).toEqual(
      texts.map(() => expect.objectContaining({ type: "newGroup", success: true, requestId: 1 })),
    );
  });

  test("a forbidden key that is hidden deep inside is still found", async () => {
    const sender = await messenger().person();
    const deep = `${'[{"a":'.repeat(1500)}{"__proto__":1}${"}]".repeat(1500)}`;
    await expectRefused(sender, [
      {
        text: `{"type":"newGroup","params":{"groupName":"n","extra":${deep}}}`,
        type: "newGroup",
        code: "VALIDATION",
        says: /"__proto__" is not allowed/,
      },
    ]);
  });
});

describe("text comes back as it was sent, by push and from the history", () => {
  const texts = [
    "'",
    '"',
    'it\'s 100% "quoted"',
    "x".repeat(256),
    "'); DROP TABLE users; --",
    '<script>alert("hi")</script><b>&amp;</b>',
    "שלום עולם, مرحبا \u202eabc\u202c",
    "👩‍👩‍👧‍👦 🏳️‍🌈 e\u0301 \u1e9b\u0323",
    '{"type":"privateMessage","params":{"content":"x"}}',
    "back\\slash \\\\ \\n \\u0041 \\",
    "$1 $2 $$ $content $senderId",
    ":name :content ::text ? ?? @p1",
    "%s %d %% _",
    "E'\\\\' U&'\\0041'",
    "two\nlines\r\nand\ttabs",
    "  spaces around  ",
    "\u0001\u0008\u001b[31m\u007f\u0085",
    "\ufeff\ufffd\uffff\u{10ffff}",
    "x".repeat(4096),
    "😀".repeat(2048),
    "\u0001".repeat(4096),
  ];

  test("in a dialog", async () => {
    const [ann, bob] = [await messenger().person(), await messenger().person()];
    const [annsDevice, bobsDevice] = [await ann.connect(), await bob.connect()];
    for (const content of texts) {
      const { params } = await annsDevice.request("privateMessage", { receiverId: bob.id, content });
      expect(params.item.message).toBe(content);
      const push = await bobsDevice.nextPush("privateMessage");
      expect([push.params.message, push.params.item.message]).toEqual([content, content]);
      expect((await chatsOf(bobsDevice))[0]?.content).toBe(content);
    }
    const { params } = await bobsDevice.request("getlatestMessageDialog", { receiverId: ann.id, limit: 100, page: 1 });
    expect(params.data.map(({ content }) => content).reverse()).toEqual(texts);
  });

  test("in a group, and in its name", async () => {
    const [ann, bob] = [await messenger().person("$1 ann"), await messenger().person("Bob ':name'")];
    const [annsDevice, bobsDevice] = [await ann.connect(), await bob.connect()];
    for (const groupName of texts.filter((text) => text.length <= 64)) {
      const { params } = await annsDevice.request("newGroup", { groupName });
      expect(params.item).toMatchObject({ groupName, event: { groupName } });
      const groupId = params.item.groupId ?? 0;
      await annsDevice.request("addUserInGroup", { groupId, userId: bob.id });
      const { params: added } = await bobsDevice.nextPush("addUserInGroup");
      expect(added).toMatchObject({ message: "$1 ann added Bob ':name' to the group", item: { groupName } });
      await annsDevice.request("messageInGroup", { groupId, content: groupName });
      expect((await bobsDevice.nextPush("messageInGroup")).params.item).toMatchObject({
        message: groupName,
        groupName,
      });
      const history = await bobsDevice.request("getlatestMessageGroup", { groupId, limit: 1, page: 1 });
      expect(history.params.data[0]?.content).toBe(groupName);
      expect((await chatsOf(bobsDevice))[0]).toMatchObject({ groupId, groupName, content: groupName });
    }
  });

  test("a clientMessageId of any printable ASCII too", async () => {
    const [ann, bob] = [await messenger().person(), await messenger().person()];
    const device = await ann.connect();
    const clientMessageIds = ["$content", "':name'\"", "'); DROP TABLE messages; --", " ".repeat(8), "~".repeat(64)];
    for (const clientMessageId of clientMessageIds) {
      const send = () => device.request("privateMessage", { receiverId: bob.id, content: "once", clientMessageId });
      const [first, second] = [await send(), await send()];
      expect(first.params.item).toMatchObject({ clientMessageId });
      expect(second.params.item).toEqual({ ...first.params.item, duplicate: true });
    }
  });
});

describe("a request that is well formed and cannot be done", () => {
  /** The error without its requestId, to compare two of them. */
  async function refusal(device: Device, type: string, params: object) {
    const { requestId: _own, ...error } = await device.requestError(type, params);
    expectDecent({ ...error });
    return error;
  }

  const remove = (person: TestUser) =>
    messenger().http("DELETE", "/users/me", { token: person.token, body: { password: "correct horse battery" } });

  test("a message to nobody, or to someone whose account is gone, is refused alike", async () => {
    const [ann, gone, unknownToAnn] = [
      await messenger().person(),
      await messenger().person(),
      await messenger().person(),
    ];
    const device = await ann.connect();
    await device.request("privateMessage", { receiverId: gone.id, content: "while you are here" });
    await remove(gone);
    await remove(unknownToAnn);
    const before = await chatsOf(device);
    const noSuchUser = { error: true, type: "privateMessage", code: "NOT_FOUND", message: "There is no such user" };
    for (const receiverId of [gone.id, unknownToAnn.id, 999_999, 2 ** 31, 2 ** 53 - 1]) {
      expect(await refusal(device, "privateMessage", { receiverId, content: "hello?" })).toEqual(noSuchUser);
    }
    expect(await chatsOf(device)).toEqual(before);
    expect(await refusal(device, "getlatestMessageDialog", { receiverId: 2 ** 53 - 1, limit: 1, page: 1 })).toEqual({
      ...noSuchUser,
      type: "getlatestMessageDialog",
    });
    for (const receiverId of [gone.id, unknownToAnn.id]) {
      const { params } = await device.request("getlatestMessageDialog", { receiverId, limit: 5, page: 1 });
      expect(params.data).toHaveLength(receiverId === gone.id ? 1 : 0);
    }
  });

  const groupTypes = [...registry.values()].filter(({ example }) => "groupId" in example.params);

  test.each(groupTypes.map(({ type }) => type))(
    "%s in a stranger's, a left, an ended, a made-up group or a dialog gets one and the same refusal",
    async (type) => {
      const [ann, bob] = [await messenger().person(), await messenger().person()];
      const [device, bobsDevice] = [await ann.connect(), await bob.connect()];
      const newGroup = async (by: Device) =>
        (await by.request("newGroup", { groupName: "private" })).params.item.groupId ?? 0;

      const strangersId = await newGroup(bobsDevice);
      const leftId = await newGroup(bobsDevice);
      await bobsDevice.request("addUserInGroup", { groupId: leftId, userId: ann.id });
      await device.request("leaveGroup", { groupId: leftId });
      const endedId = await newGroup(device);
      await device.request("leaveGroup", { groupId: endedId });
      const dialogId = (await device.request("privateMessage", { receiverId: bob.id, content: "hi" })).params.item
        .chatId;
      const othersDialogId = (await bobsDevice.request("privateMessage", { receiverId: bob.id, content: "me" })).params
        .item.chatId;
      const before = [await chatsOf(device), await chatsOf(bobsDevice)];

      const example = registry.get(type)?.example.params;
      const withUser = { ...example, ...("userId" in example && { userId: bob.id }) };
      for (const groupId of [2 ** 53 - 1, strangersId, leftId, endedId, dialogId, othersDialogId]) {
        expect(await refusal(device, type, { ...withUser, groupId })).toEqual({
          error: true,
          type,
          code: "NOT_MEMBER",
          message: "User is not a member of this group",
        });
      }
      expect([await chatsOf(device), await chatsOf(bobsDevice)]).toEqual(before);
    },
  );

  test("adding someone twice is a conflict, adding nobody is not found, and a stranger learns neither", async () => {
    const [ann, bob, stranger] = [await messenger().person(), await messenger().person(), await messenger().person()];
    const [device, strangersDevice] = [await ann.connect(), await stranger.connect()];
    const groupId = (await device.request("newGroup", { groupName: "two" })).params.item.groupId ?? 0;
    await device.request("addUserInGroup", { groupId, userId: bob.id });
    const before = await chatsOf(device);
    const [add, error] = ["addUserInGroup", true];
    for (const userId of [bob.id, ann.id]) {
      expect(await refusal(device, add, { groupId, userId })).toEqual({
        error,
        type: add,
        code: "CONFLICT",
        message: "User is already a member of this group",
      });
    }
    expect(await refusal(device, add, { groupId, userId: 2 ** 53 - 1 })).toEqual({
      error,
      type: add,
      code: "NOT_FOUND",
      message: "There is no such user",
    });
    for (const userId of [bob.id, ann.id, stranger.id, 2 ** 53 - 1]) {
      expect(await refusal(strangersDevice, add, { groupId, userId })).toEqual({
        error,
        type: add,
        code: "NOT_MEMBER",
        message: "User is not a member of this group",
      });
    }
    expect(await chatsOf(device)).toEqual(before);
  });

  test("someone who has left cannot leave again", async () => {
    const [ann, bob] = [await messenger().person(), await messenger().person()];
    const [device, bobsDevice] = [await ann.connect(), await bob.connect()];
    const groupId = (await device.request("newGroup", { groupName: "two" })).params.item.groupId ?? 0;
    await device.request("addUserInGroup", { groupId, userId: bob.id });
    await bobsDevice.request("leaveGroup", { groupId });
    expect(await refusal(bobsDevice, "leaveGroup", { groupId })).toMatchObject({ code: "NOT_MEMBER" });
    await device.request("leaveGroup", { groupId });
    expect(await refusal(device, "leaveGroup", { groupId })).toMatchObject({ code: "NOT_MEMBER" });
  });

  test("a page past the end is an empty list", async () => {
    const ann = await messenger().person();
    const device = await ann.connect();
    const groupId = (await device.request("newGroup", { groupName: "one" })).params.item.groupId ?? 0;
    await device.request("privateMessage", { receiverId: ann.id, content: "me" });
    for (const [limit, page] of [
      [100, 2],
      [1, 3],
      [100, 2 ** 31 - 1],
      [1, 2 ** 31 - 1],
    ] as const) {
      const answers = [
        await device.request("listLastMessage", { limit, page }),
        await device.request("getlatestMessageGroup", { groupId, limit, page }),
        await device.request("getlatestMessageDialog", { receiverId: ann.id, limit, page }),
      ];
      expect(answers.map(({ params }) => params.data)).toEqual([[], [], []]);
    }
  });
});

test("a frame of 32 KiB to the byte is still read", async () => {
  const device = await (await messenger().person()).connect();
  const frame = JSON.stringify({ type: "listLastMessage", params: { limit: 1, page: 1 }, padding: "" });
  const [answer] = await answersTo(device, [frame.replace('""', `"${"x".repeat(32 * 1024 - frame.length)}"`)]);
  expect(answer).toMatchObject({ type: "listLastMessage", success: true });
});
