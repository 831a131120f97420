import { describe, expect, test } from "@jest/globals";
import type { Device } from "./support/device.ts";
import { password, type TestUser, useMessenger } from "./support/messenger.ts";

/* Finding people, and not being found by them. */

const messenger = useMessenger();

interface Found {
  id: number;
  firstName: string;
  lastName: string | null;
}

let registered = 0;

/** Registers somebody under these names. */
async function named(firstName: string, lastName?: string, email = `somebody${++registered}@hidden.test`) {
  const { status, body } = await messenger().http("POST", "/auth/register", {
    body: { email, password, firstName, ...(lastName !== undefined && { lastName }) },
  });
  expect({ status, body }).toMatchObject({ status: 201 });
  return { id: Number(body.user.id), token: String(body.token), email };
}

let asking: Promise<{ token: string }> | undefined;

/** Asks for people, as somebody whose name no search here is about. No answer ever holds an e-mail address. */
async function ask(query: Record<string, string>) {
  asking ??= named("Zz Asking");
  const { token } = await asking;
  const answer = await messenger().http("GET", `/users?${new URLSearchParams(query)}`, { token });
  expect(JSON.stringify(answer.body)).not.toContain("hidden.test");
  for (const person of answer.body.data ?? []) {
    expect(Object.keys(person).sort()).toEqual(["firstName", "id", "lastName"]);
  }
  return answer;
}

/** Whom a search finds, in its order, by their names. */
async function find(search: string): Promise<string[]> {
  const { status, body } = await ask({ search, limit: "100" });
  expect({ status, body }).toMatchObject({ status: 200, body: { nextCursor: null } });
  return body.data.map(({ firstName, lastName }: Found) => [firstName, lastName].filter(Boolean).join(" "));
}

/** Goes through all pages of a list. */
async function pages(query: Record<string, string>): Promise<{ ids: number[]; cursors: string[] }> {
  const ids: number[] = [];
  const cursors: string[] = [];
  for (let cursor: string | null = ""; cursor !== null; ) {
    const { status, body } = await ask({ ...query, ...(cursor && { cursor }) });
    expect({ status, body }).toMatchObject({ status: 200 });
    expect(body.data.length).toBeLessThanOrEqual(Number(query.limit));
    if (body.nextCursor !== null) expect(body.data).toHaveLength(Number(query.limit));
    ids.push(...body.data.map(({ id }: Found) => id));
    cursor = body.nextCursor;
    if (cursor !== null) cursors.push(cursor);
    expect(cursors.length).toBeLessThan(100);
  }
  return { ids, cursors };
}

describe("a search for people", () => {
  test("finds by the beginning of the first name, of the last name, or of both, in any letter case", async () => {
    await named("Anna", "Kowalska");
    for (const search of ["a", "Anna", "aNN", "kowal", "KOWALSKA", "an k", "ANNA KOWALSKA", "  anna   kow "]) {
      expect({ search, found: await find(search) }).toEqual({ search, found: ["Anna Kowalska"] });
    }
    for (const search of ["nna", "owalska", "annak", "an o", "k an", "kowalska anna", "anna kowalska x"]) {
      expect({ search, found: await find(search) }).toEqual({ search, found: [] });
    }
  });

  test("does not mind accents, on either side, however they are encoded", async () => {
    await named("José", "Muñoz");
    await named("Jose", "Munozada");
    for (const search of ["jose", "JOSÉ", "josé", "munoz", "MUÑ", "josé mun"]) {
      expect({ search, found: await find(search) }).toEqual({ search, found: ["José Muñoz", "Jose Munozada"] });
    }
  });

  test("takes names of several words, wherever the first name ends and the last name begins", async () => {
    await named("Bella Maria", "Kowalewska");
    await named("Bella", "Maria Krawczyk");
    for (const search of ["bella", "bella m", "bella maria", "bella maria k"]) {
      expect({ search, found: (await find(search)).sort() }).toEqual({
        search,
        found: ["Bella Maria Kowalewska", "Bella Maria Krawczyk"],
      });
    }
    expect(await find("bella k")).toEqual(["Bella Maria Kowalewska"]);
    expect(await find("bella maria kow")).toEqual(["Bella Maria Kowalewska"]);
    expect(await find("bella maria kr")).toEqual(["Bella Maria Krawczyk"]);
    expect(await find("maria k")).toEqual(["Bella Maria Krawczyk"]);
    expect(await find("bella maria kow x")).toEqual([]);
  });

  test("finds a whole e-mail address in any letter case, and never the beginning of one", async () => {
    await named("Carla", undefined, "Carla.Mail+tag@Hidden.test");
    for (const search of ["Carla.Mail+tag@Hidden.test", "carla.mail+TAG@hidden.TEST", " carla.mail+tag@hidden.test "]) {
      expect({ search, found: await find(search) }).toEqual({ search, found: ["Carla"] });
    }
    for (const search of [
      "carla.mail",
      "carla.mail+tag@",
      "carla.mail+tag@hidden.tes",
      "@hidden.test",
      "hidden.test",
      "%@hidden.test",
    ]) {
      expect({ search, found: await find(search) }).toEqual({ search, found: [] });
    }
  });

  test("takes every character for itself", async () => {
    const odd = ["%", "_", "\\", "'", '"', "$1", "$whole", ":id", "?", "--", "*", "(", "[", "^", "日本", "😀"];
    for (const name of odd) await named(`${name}dora`);
    for (const name of odd) {
      expect({ name, found: await find(name) }).toEqual({ name, found: [`${name}dora`] });
      expect({ name, found: await find(`${name}d`) }).toEqual({ name, found: [`${name}dora`] });
      expect({ name, found: await find(`d${name}`) }).toEqual({ name, found: [] });
    }
  });

  test.each([
    ["nothing", ""],
    ["blanks", "  \t "],
    ["U+0000", "a\0"],
    ["255 characters", "a".repeat(255)],
  ])("for %s is refused", async (_what, search) => {
    expect(await ask({ search })).toMatchObject({
      status: 400,
      body: { code: "VALIDATION", detail: expect.stringContaining('"search"') },
    });
  });

  test("ranks both names before the first, the first before the last, and an exact name before a longer one", async () => {
    const inOrder = [
      // Both words as first and last name.
      ["Elsa", "Mo"],
      ["Elsa", "Moore"],
      ["Elsabeth", "Mo"],
      // Both words as the first name.
      ["Elsa Mo", "Abel"],
      ["Elsa Mo", "Zorn"],
      ["Elsa Mona", "Abel"],
      // Both words as the last name.
      ["Zoe", "Elsa Mo"],
      ["Adam", "Elsa Mona"],
    ] as const;
    for (const [first, last] of [...inOrder].reverse()) await named(first, last);
    expect(await find("elsa mo")).toEqual(inOrder.map((names) => names.join(" ")));
    expect(await find("elsa")).toEqual([
      "Elsa Mo",
      "Elsa Moore",
      "Elsa Mo Abel",
      "Elsa Mo Zorn",
      "Elsa Mona Abel",
      "Elsabeth Mo",
      "Zoe Elsa Mo",
      "Adam Elsa Mona",
    ]);
  });

  test.each<[string, [string, string?][]]>([
    [
      "fina gor",
      [
        ["Fina", "Gor"],
        ["Fina", "Gor"],
        // The search is the beginning of both names here, and that of the first name too.
        ["Fina Gor", "Gora"],
        ["Finana", "Gorman"],
        ["Fina Gor"],
        ["Fina Gor"],
        ["Fina Gorman", "Fina Gor"],
        ["Hugo", "Fina Gor"],
        ["Hugo", "Fina Gor"],
        ["Ida", "Fina Gora"],
      ],
    ],
    [
      "tom tom",
      [
        // In all three ways at once, then in two of them.
        ["Tom", "Tom Tom"],
        ["Tom Tom", "Tom Tom"],
        ["Tom Tom", "Uhl"],
        ["Uli", "Tom Tom"],
      ],
    ],
  ])("for %s visits everyone once, page by page, whatever the size of the pages", async (search, names) => {
    const people: number[] = [];
    for (const [first, last] of names) people.push((await named(first, last)).id);
    for (let limit = 1; limit <= people.length + 1; limit++) {
      const { ids, cursors } = await pages({ search, limit: String(limit) });
      expect({ limit, ids }).toEqual({ limit, ids: people });
      expect(cursors).toHaveLength(Math.ceil(people.length / limit) - 1);
    }
  });

  test("goes on behind the longest names in any writing", async () => {
    // What one character of a name becomes in a search differs: a syllable of Hangul is three, U+FDFA eighteen.
    const names = ["한".repeat(64), "\ufdfa".repeat(64), "W".repeat(64)];
    for (const name of names) {
      const ids = [(await named(name, name)).id, (await named(name, name)).id];
      const search = name.slice(0, 10);
      expect({ name, ids: (await pages({ search, limit: "1" })).ids }).toEqual({ name, ids });
    }
  });

  test("does not find who was deleted, and finds who was renamed under the new name only", async () => {
    const gone = await named("Gonda", "Weg");
    const renamed = await named("Gondalf", "Greyman");
    expect(await find("gond")).toEqual(["Gonda Weg", "Gondalf Greyman"]);
    const rename = (body: object) => messenger().http("PATCH", "/users/me", { token: renamed.token, body });
    await messenger().http("DELETE", "/users/me", { token: gone.token, body: { password } });
    expect((await rename({ firstName: "Mithrandir" })).status).toBe(200);
    expect(await find("gond")).toEqual([]);
    expect(await find("weg")).toEqual([]);
    expect(await find("mithr gr")).toEqual(["Mithrandir Greyman"]);
    await rename({ lastName: null });
    expect(await find("grey")).toEqual([]);
    expect(await find("mithr")).toEqual(["Mithrandir"]);
    expect(await find(gone.email)).toEqual([]);
    expect(await find(renamed.email)).toEqual(["Mithrandir"]);
    const token = renamed.token;
    expect(await messenger().http("GET", `/users/${gone.id}`, { token })).toMatchObject({ status: 404 });
  });

  test("is not for strangers", async () => {
    expect(await messenger().http("GET", "/users?search=a")).toMatchObject({ status: 401 });
  });
});

describe("the list of everyone", () => {
  test("visits everyone once, the oldest first, and nobody who was deleted", async () => {
    const [first, gone, last] = [await named("Ines"), await named("Jana"), await named("Kira")];
    await messenger().http("DELETE", "/users/me", { token: gone.token, body: { password } });
    const { ids } = await pages({ limit: "7" });
    expect(ids).toEqual([...new Set(ids)].sort((a, b) => a - b));
    expect(ids).toEqual(expect.arrayContaining([first.id, last.id]));
    expect(ids).not.toContain(gone.id);
  });

  test("one person can be read, without an address", async () => {
    const { id, token } = await named("Lena", "Loewe");
    const answer = await messenger().http("GET", `/users/${id}`, { token });
    expect(answer).toMatchObject({ status: 200, body: { id, firstName: "Lena", lastName: "Loewe" } });
    expect(Object.keys(answer.body).sort()).toEqual(["firstName", "id", "lastName"]);
  });
});

describe("a cursor", () => {
  const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const place = { rank: "first", firstKey: "mina", lastKey: "", id: 1 };

  const forgeries: [string, Record<string, string>][] = [
    ["of the list of everyone, in a search", { search: "mina", cursor: encode(5) }],
    ["of a search, in the list of everyone", { cursor: encode(place) }],
    ["cut short", { search: "mina", cursor: encode(place).slice(0, -3) }],
    ["that is no base64", { search: "mina", cursor: "%%%%" }],
    ["of words", { search: "mina", cursor: "next please" }],
    ["of nothing", { search: "mina", cursor: encode(null) }],
    ["of a list", { search: "mina", cursor: encode([place]) }],
    ["with an unknown rank", { search: "mina", cursor: encode({ ...place, rank: "constructor" }) }],
    ["with a rank of no text", { search: "mina", cursor: encode({ ...place, rank: 1 }) }],
    ["with a null for a name", { search: "mina", cursor: encode({ ...place, firstKey: null }) }],
    ["without a last name", { search: "mina", cursor: encode({ ...place, lastKey: undefined }) }],
    ["with U+0000 in a name", { search: "mina", cursor: encode({ ...place, lastKey: "a\0b" }) }],
    ["with a lone surrogate in a name", { search: "mina", cursor: encode({ ...place, firstKey: "\ud800" }) }],
    ["with a null for an id", { search: "mina", cursor: encode({ ...place, id: null }) }],
    ["with an id of text", { search: "mina", cursor: encode({ ...place, id: "1; DROP TABLE users" }) }],
    ["with an id that is no whole number", { search: "mina", cursor: encode({ ...place, id: 1.5 }) }],
    ["with an id beyond all numbers", { search: "mina", cursor: encode({ ...place, id: 2 ** 60 }) }],
    ["of everyone, beyond all numbers", { cursor: encode(2 ** 60) }],
    ["of everyone, below one", { cursor: encode(0) }],
    ["that is empty", { search: "mina", cursor: "" }],
    ["that is far too long", { search: "mina", cursor: "x".repeat(10_000) }],
  ];

  test.each(forgeries)("%s is refused by its name", async (_what, query) => {
    expect(await ask(query)).toMatchObject({
      status: 400,
      body: { code: "VALIDATION", detail: expect.stringContaining('"cursor"') },
    });
  });

  test("of another search of the same kind shows nothing but what the search finds", async () => {
    await named("Nadia");
    await named("Oda");
    const elsewhere = encode({ rank: "first", firstKey: "a", lastKey: "", id: 1 });
    expect(await ask({ search: "oda", cursor: elsewhere })).toMatchObject({
      status: 200,
      body: { data: [{ firstName: "Oda" }] },
    });
    const behind = encode({ rank: "first", firstKey: "z", lastKey: "", id: 1 });
    expect(await ask({ search: "oda", cursor: behind })).toMatchObject({ status: 200, body: { data: [] } });
  });
});

describe("a block", () => {
  const put = ({ token }: TestUser, id: number | string) =>
    messenger().http("PUT", `/users/me/blocks/${id}`, { token });
  const lift = ({ token }: TestUser, id: number | string) =>
    messenger().http("DELETE", `/users/me/blocks/${id}`, { token });
  const list = async ({ token }: TestUser): Promise<Found[]> =>
    (await messenger().http("GET", "/users/me/blocks", { token })).body.data;
  const listed = async (person: TestUser) => (await list(person)).map(({ id }) => id);

  const neverWas = 987_654_321;

  /** Somebody who will block, and somebody who will be blocked, both connected. */
  async function two() {
    const [blocker, blocked] = [await messenger().person(), await messenger().person()];
    return { blocker, blocked, blockers: await blocker.connect(), blockeds: await blocked.connect() };
  }

  const chatsOf = ({ id }: TestUser) =>
    messenger().sql(
      "SELECT c.*, m.* FROM chats AS c JOIN chat_members AS m ON m.chat_id = c.id WHERE m.user_id = $id ORDER BY c.id",
      { id },
    );

  test("can be made and lifted, once or again", async () => {
    const { blocker, blocked } = await two();
    for (const act of [put, put]) expect(await act(blocker, blocked.id)).toMatchObject({ status: 204, body: "" });
    expect(await listed(blocker)).toEqual([blocked.id]);
    for (const act of [lift, lift]) expect(await act(blocker, blocked.id)).toMatchObject({ status: 204, body: "" });
    expect(await listed(blocker)).toEqual([]);
    const atOnce = await Promise.all(Array.from({ length: 8 }, () => put(blocker, blocked.id)));
    expect(atOnce.map(({ status }) => status)).toEqual(Array(8).fill(204));
    expect(await listed(blocker)).toEqual([blocked.id]);
  });

  test("is listed with the others, the latest first, to nobody but who made it, and without addresses", async () => {
    const { blocker, blocked } = await two();
    const others = [await messenger().person(), await messenger().person()];
    for (const { id } of [blocked, ...others]) await put(blocker, id);
    expect(await listed(blocker)).toEqual([...others.map(({ id }) => id).reverse(), blocked.id]);
    // Blocking again is not a later block.
    await put(blocker, blocked.id);
    expect((await listed(blocker)).at(-1)).toBe(blocked.id);
    for (const row of await list(blocker)) expect(Object.keys(row).sort()).toEqual(["firstName", "id", "lastName"]);
    expect(await listed(blocked)).toEqual([]);
  });

  test("of oneself is refused, and of somebody who is not or no longer there not found", async () => {
    const { blocker, blocked } = await two();
    expect(await put(blocker, blocker.id)).toMatchObject({
      status: 400,
      body: { code: "VALIDATION", detail: expect.stringContaining('"userId"') },
    });
    expect(await put(blocker, neverWas)).toMatchObject({ status: 404, body: { code: "NOT_FOUND" } });
    expect(await put(blocker, "me")).toMatchObject({ status: 400, body: { code: "VALIDATION" } });
    await put(blocker, blocked.id);
    await messenger().http("DELETE", "/users/me", { token: blocked.token, body: { password } });
    expect(await listed(blocker)).toEqual([]);
    expect(await put(blocker, blocked.id)).toMatchObject({ status: 404, body: { code: "NOT_FOUND" } });
  });

  test.each([
    ["who never wrote", false],
    ["with whom there is a dialog", true],
  ])(
    "makes the blocker, to one %s, like a user that never was: the same answers, and no row",
    async (_who, withDialog) => {
      const { blocker, blocked, blockers, blockeds } = await two();
      if (withDialog) {
        await blockeds.request("privateMessage", { receiverId: blocker.id, content: "hello" });
        await blockers.request("privateMessage", { receiverId: blocked.id, content: "hello yourself" });
      }
      const { params } = await blockeds.request("newGroup", { groupName: "just us" });
      const groupId = params.item.groupId ?? 0;
      await put(blocker, blocked.id);
      const before = { his: await chatsOf(blocked), hers: await chatsOf(blocker) };
      const frames = (userId: number) => [
        { type: "privateMessage", params: { receiverId: userId, content: "are you there?" } },
        { type: "privateMessage", params: { receiverId: userId, content: "really?", clientMessageId: "asked-once" } },
        { type: "addUserInGroup", params: { groupId, userId } },
        { type: "addUserInGroup", params: { groupId: neverWas, userId } },
      ];
      const [toBlocker, toNobody] = [frames(blocker.id), frames(neverWas)];
      for (const [index, frame] of toBlocker.entries()) {
        const answer = await blockeds.sendRaw(frame);
        expect(answer).toEqual(await blockeds.sendRaw(toNobody[index] ?? ""));
        expect(answer).toMatchObject({ error: true });
      }
      expect({ his: await chatsOf(blocked), hers: await chatsOf(blocker) }).toEqual(before);
      expect(before.hers).toHaveLength(withDialog ? 1 : 0);
      await blockers.settle();
      expect(blockers.pushes().map(({ params }) => params.message)).toEqual(withDialog ? ["hello"] : []);
    },
  );

  test("goes one way: the blocker may write, and the blocked one hears it and cannot answer", async () => {
    const { blocker, blocked, blockers, blockeds } = await two();
    await put(blocker, blocked.id);
    const { params } = await blockers.request("privateMessage", { receiverId: blocked.id, content: "last words" });
    expect(await blockeds.nextPush("privateMessage")).toMatchObject({ params: { item: params.item } });
    await blockeds.requestError("privateMessage", { receiverId: blocker.id, content: "but" });
    await blockers.request("privateMessage", { receiverId: blocked.id, content: "really the last" });
    expect(await blockeds.nextPush("privateMessage")).toMatchObject({ params: { item: { seq: 2 } } });
  });

  test("leaves the history to both", async () => {
    const { blocker, blocked, blockers, blockeds } = await two();
    await blockeds.request("privateMessage", { receiverId: blocker.id, content: "one" });
    await blockers.request("privateMessage", { receiverId: blocked.id, content: "two" });
    await put(blocker, blocked.id);
    for (const [device, receiverId] of [
      [blockeds, blocker.id],
      [blockers, blocked.id],
    ] as const) {
      const { params } = await device.request("getlatestMessageDialog", { receiverId, limit: 10, page: 1 });
      expect(params.data.map(({ content }) => content)).toEqual(["two", "one"]);
      expect((await device.request("listLastMessage", { limit: 10, page: 1 })).params.data).toMatchObject([
        { content: "two" },
      ]);
    }
  });

  test("does not keep two people out of a group of somebody else's", async () => {
    const { blocker, blocked, blockers, blockeds } = await two();
    await put(blocker, blocked.id);
    const friend = await (await messenger().person()).connect();
    const groupId = (await friend.request("newGroup", { groupName: "all of us" })).params.item.groupId ?? 0;
    for (const { id: userId } of [blocker, blocked]) await friend.request("addUserInGroup", { groupId, userId });
    await blockeds.request("messageInGroup", { groupId, content: "hello everyone" });
    expect(await blockers.nextPush("messageInGroup")).toMatchObject({ params: { message: "hello everyone" } });
  });

  test("that is lifted is as if it had never been", async () => {
    const { blocker, blocked, blockers, blockeds } = await two();
    await put(blocker, blocked.id);
    await blockeds.requestError("privateMessage", {
      receiverId: blocker.id,
      content: "not heard",
      clientMessageId: "once-only",
    });
    await lift(blocker, blocked.id);
    const again = { receiverId: blocker.id, content: "not heard", clientMessageId: "once-only" };
    expect((await blockeds.request("privateMessage", again)).params.item).toMatchObject({ seq: 1 });
    expect(await blockers.nextPush()).toMatchObject({ params: { message: "not heard" } });
    const groupId = (await blockeds.request("newGroup", { groupName: "us" })).params.item.groupId ?? 0;
    await blockeds.request("addUserInGroup", { groupId, userId: blocker.id });
  });

  /** What is stored of the dialog of two people. */
  const dialogOf = async (one: TestUser, other: TestUser) => {
    const [dialog = { lastSeq: 0, messages: 0 }] = await messenger().sql<{ lastSeq: number; messages: number }>(
      `SELECT c.last_seq AS "lastSeq", (SELECT count(*) FROM messages AS m WHERE m.chat_id = c.id) AS messages
         FROM chats AS c
        WHERE c.pair_low = LEAST($one::bigint, $other::bigint) AND c.pair_high = GREATEST($one::bigint, $other::bigint)`,
      { one: one.id, other: other.id },
    );
    return dialog;
  };

  test.each([
    ["20 sends on their way in a dialog", { rounds: 8, sends: 20, before: 1 }],
    ["20 sends on their way that have just opened the dialog", { rounds: 8, sends: 20, before: 0 }],
    ["3 sends that are about to open the dialog", { rounds: 20, sends: 3, before: 0 }],
  ])("lets nothing in after its answer, with %s, in rounds", async (_what, { rounds, sends, before }) => {
    for (let round = 0; round < rounds; round++) {
      const { blocker, blocked, blockeds } = await two();
      const write = (device: Device, content: string) =>
        device.exchange({ type: "privateMessage", params: { receiverId: blocker.id, content } });
      for (let count = 0; count < before; count++) await write(blockeds, "before");
      // More sockets of the same person, since sends of one socket wait for each other.
      const senders = [blockeds, await blocked.connect(), await blocked.connect()];
      const sent = Array.from({ length: sends }, (_, index) => write(senders[index % 3] ?? blockeds, `${index}`));
      // The block comes in at another moment of the sending in every round: after so many answers, or at once.
      if (sends === 20) await Promise.all(sent.slice(0, round));
      expect(await put(blocker, blocked.id)).toMatchObject({ status: 204 });
      const atTheAnswer = await dialogOf(blocker, blocked);
      const answers = await Promise.all(sent);
      await blockeds.requestError("privateMessage", { receiverId: blocker.id, content: "after" });
      expect(await dialogOf(blocker, blocked)).toEqual(atTheAnswer);
      const acknowledged = before + answers.filter(({ success }) => success).length;
      expect(atTheAnswer).toEqual({ lastSeq: acknowledged, messages: acknowledged });
      for (const { error, code } of answers) if (error) expect(code).toBe("NOT_FOUND");
      await messenger().closeDevices();
    }
  });
});
