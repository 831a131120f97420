import { describe, expect, test } from "@jest/globals";
import type { Device } from "./support/device.ts";
import { password, type TestUser, useMessenger } from "./support/messenger.ts";
import { createGroup, errorOf, numbers, pushesDuring, pushesOfType, unknownId } from "./support/scenes.ts";

/* Searching users, and blocking them. One file despite its length, because both need the same users on one server. */

const messenger = useMessenger();

interface Found {
  id: number;
  firstName: string;
  lastName: string | null;
}

let registered = 0;

/** Registers a user with these names. */
async function registerNamed(firstName: string, lastName?: string, email = `user${++registered}@hidden.test`) {
  const { status, body } = await messenger().http("POST", "/auth/register", {
    body: { email, password, firstName, ...(lastName !== undefined && { lastName }) },
  });
  expect({ status, body }).toMatchObject({ status: 201 });
  return { id: Number(body.user.id), token: String(body.token), email };
}

let searcher: Promise<{ token: string }> | undefined;

/** Lists users, as a user whom no search here finds. Checks that no response contains an e-mail address. */
async function list(query: Record<string, string>) {
  searcher ??= registerNamed("Zz Asking");
  const { token } = await searcher;
  const answer = await messenger().http("GET", `/users?${new URLSearchParams(query)}`, { token });
  expect(JSON.stringify(answer.body)).not.toContain("hidden.test");
  for (const person of answer.body.data ?? []) {
    expect(Object.keys(person).sort()).toEqual(["firstName", "id", "lastName"]);
  }
  return answer;
}

/** The names that a search finds, in order. */
async function find(search: string): Promise<string[]> {
  const { status, body } = await list({ search, limit: "100" });
  expect({ status, body }).toMatchObject({ status: 200, body: { nextCursor: null } });
  return body.data.map(({ firstName, lastName }: Found) => [firstName, lastName].filter(Boolean).join(" "));
}

/** Reads all pages of a list. */
async function readPages(query: Record<string, string>): Promise<{ ids: number[]; cursors: string[] }> {
  const ids: number[] = [];
  const cursors: string[] = [];
  for (let cursor: string | null = ""; cursor !== null; ) {
    const { status, body } = await list({ ...query, ...(cursor && { cursor }) });
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

describe("a search", () => {
  test("finds users by the beginning of the first name, the last name or both, in any letter case", async () => {
    await registerNamed("Anna", "Kowalska");
    for (const search of ["a", "Anna", "aNN", "kowal", "KOWALSKA", "an k", "ANNA KOWALSKA", "  anna   kow "]) {
      expect({ search, found: await find(search) }).toEqual({ search, found: ["Anna Kowalska"] });
    }
    for (const search of ["nna", "owalska", "annak", "an o", "k an", "kowalska anna", "anna kowalska x"]) {
      expect({ search, found: await find(search) }).toEqual({ search, found: [] });
    }
  });

  test("ignores accents in names and in the search, in any Unicode form", async () => {
    await registerNamed("José", "Muñoz");
    await registerNamed("Jose", "Munozada");
    for (const search of ["jose", "JOSÉ", "josé", "munoz", "MUÑ", "josé mun"]) {
      expect({ search, found: await find(search) }).toEqual({ search, found: ["José Muñoz", "Jose Munozada"] });
    }
  });

  test("ignores case where it has more than two forms", async () => {
    await registerNamed("Αναστασία", "Strauß");
    for (const search of ["ΑΝΑΣ", "ανας", "STRAUSS", "strauß", "STRAUẞ", "ΑΝΑΣΤΑΣΊΑ strauss"]) {
      expect({ search, found: await find(search) }).toEqual({ search, found: ["Αναστασία Strauß"] });
    }
  });

  test("finds names of several words, wherever the first name ends and the last name begins", async () => {
    await registerNamed("Bella Maria", "Kowalewska");
    await registerNamed("Bella", "Maria Krawczyk");
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

  test("finds a complete e-mail address in any letter case, and never the beginning of one", async () => {
    await registerNamed("Carla", undefined, "Carla.Mail+tag@Hidden.test");
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

  test("takes every character literally", async () => {
    const characters = ["%", "_", "\\", "'", '"', "$1", "$whole", ":id", "?", "--", "*", "(", "[", "^", "日本", "😀"];
    for (const name of characters) await registerNamed(`${name}dora`);
    for (const name of characters) {
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
  ])("for %s is rejected", async (_what, search) => {
    expect(await list({ search })).toMatchObject({
      status: 400,
      body: { code: "VALIDATION", detail: expect.stringContaining('"search"') },
    });
  });

  test("ranks matches of both names before first names, first names before last names, and exact names before longer ones", async () => {
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
    for (const [first, last] of [...inOrder].reverse()) await registerNamed(first, last);
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
        // The search matches both names here, and the first name alone.
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
        // Matches in all three ways, then in two of them.
        ["Tom", "Tom Tom"],
        ["Tom Tom", "Tom Tom"],
        ["Tom Tom", "Uhl"],
        ["Uli", "Tom Tom"],
      ],
    ],
  ])("for %s returns each match once, whatever the page size", async (search, names) => {
    const people: number[] = [];
    for (const [first, last] of names) people.push((await registerNamed(first, last)).id);
    for (let limit = 1; limit <= people.length + 1; limit++) {
      const { ids, cursors } = await readPages({ search, limit: String(limit) });
      expect({ limit, ids }).toEqual({ limit, ids: people });
      expect(cursors).toHaveLength(Math.ceil(people.length / limit) - 1);
    }
  });

  test("continues after the longest names in any script", async () => {
    // One character of a name becomes several in its search form: three for a Hangul syllable, eighteen for U+FDFA.
    const names = ["한".repeat(64), "\ufdfa".repeat(64), "W".repeat(64)];
    for (const name of names) {
      const ids = [(await registerNamed(name, name)).id, (await registerNamed(name, name)).id];
      const search = name.slice(0, 10);
      expect({ name, ids: (await readPages({ search, limit: "1" })).ids }).toEqual({ name, ids });
    }
  });

  test("does not find deleted users, and finds renamed users by the new name only", async () => {
    const gone = await registerNamed("Gonda", "Weg");
    const renamed = await registerNamed("Gondalf", "Greyman");
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

  test("requires a token", async () => {
    expect(await messenger().http("GET", "/users?search=a")).toMatchObject({ status: 401 });
  });
});

describe("the list of all users", () => {
  test("contains each user once, the oldest first, and no deleted ones", async () => {
    const [first, gone, last] = [await registerNamed("Ines"), await registerNamed("Jana"), await registerNamed("Kira")];
    await messenger().http("DELETE", "/users/me", { token: gone.token, body: { password } });
    const { ids } = await readPages({ limit: "7" });
    expect(ids).toEqual([...new Set(ids)].sort((a, b) => a - b));
    expect(ids).toEqual(expect.arrayContaining([first.id, last.id]));
    expect(ids).not.toContain(gone.id);
  });

  test("a single user is returned without the e-mail address", async () => {
    const { id, token } = await registerNamed("Lena", "Loewe");
    const answer = await messenger().http("GET", `/users/${id}`, { token });
    expect(answer).toMatchObject({ status: 200, body: { id, firstName: "Lena", lastName: "Loewe" } });
    expect(Object.keys(answer.body).sort()).toEqual(["firstName", "id", "lastName"]);
  });
});

describe("a cursor", () => {
  const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const position = { rank: "first", firstKey: "mina", lastKey: "", id: 1 };

  const forgeries: [string, Record<string, string>][] = [
    ["of the list of all users, in a search", { search: "mina", cursor: encode(5) }],
    ["of a search, in the list of all users", { cursor: encode(position) }],
    ["cut short", { search: "mina", cursor: encode(position).slice(0, -3) }],
    ["that is no base64", { search: "mina", cursor: "%%%%" }],
    ["of words", { search: "mina", cursor: "next please" }],
    ["of nothing", { search: "mina", cursor: encode(null) }],
    ["of a list", { search: "mina", cursor: encode([position]) }],
    ["with an unknown rank", { search: "mina", cursor: encode({ ...position, rank: "constructor" }) }],
    ["with a rank of no text", { search: "mina", cursor: encode({ ...position, rank: 1 }) }],
    ["with a null for a name", { search: "mina", cursor: encode({ ...position, firstKey: null }) }],
    ["without a last name", { search: "mina", cursor: encode({ ...position, lastKey: undefined }) }],
    ["with U+0000 in a name", { search: "mina", cursor: encode({ ...position, lastKey: "a\0b" }) }],
    ["with a lone surrogate in a name", { search: "mina", cursor: encode({ ...position, firstKey: "\ud800" }) }],
    ["with a null for an id", { search: "mina", cursor: encode({ ...position, id: null }) }],
    ["with an id of text", { search: "mina", cursor: encode({ ...position, id: "1; DROP TABLE users" }) }],
    ["with an id that is no whole number", { search: "mina", cursor: encode({ ...position, id: 1.5 }) }],
    ["with an id beyond the range of numbers", { search: "mina", cursor: encode({ ...position, id: 2 ** 60 }) }],
    ["of all users, beyond the range of numbers", { cursor: encode(2 ** 60) }],
    ["of all users, below one", { cursor: encode(0) }],
    ["that is empty", { search: "mina", cursor: "" }],
    ["that is far too long", { search: "mina", cursor: "x".repeat(10_000) }],
  ];

  test.each(forgeries)("%s is rejected with its name", async (_what, query) => {
    expect(await list(query)).toMatchObject({
      status: 400,
      body: { code: "VALIDATION", detail: expect.stringContaining('"cursor"') },
    });
  });

  test("of another search reveals nothing beyond the results of this search", async () => {
    await registerNamed("Nadia");
    await registerNamed("Oda");
    const elsewhere = encode({ rank: "first", firstKey: "a", lastKey: "", id: 1 });
    expect(await list({ search: "oda", cursor: elsewhere })).toMatchObject({
      status: 200,
      body: { data: [{ firstName: "Oda" }] },
    });
    const behind = encode({ rank: "first", firstKey: "z", lastKey: "", id: 1 });
    expect(await list({ search: "oda", cursor: behind })).toMatchObject({ status: 200, body: { data: [] } });
  });
});

describe("a block", () => {
  const put = ({ token }: TestUser, id: number | string) =>
    messenger().http("PUT", `/users/me/blocks/${id}`, { token });
  const unblock = ({ token }: TestUser, id: number | string) =>
    messenger().http("DELETE", `/users/me/blocks/${id}`, { token });
  const listBlocks = async ({ token }: TestUser): Promise<Found[]> =>
    (await messenger().http("GET", "/users/me/blocks", { token })).body.data;
  const listedIds = async (person: TestUser) => (await listBlocks(person)).map(({ id }) => id);

  /** A user who will block and a user who will be blocked, both connected. */
  async function twoUsers() {
    const [blocker, blocked] = [await messenger().person(), await messenger().person()];
    return { blocker, blocked, blockers: await blocker.connect(), blockeds: await blocked.connect() };
  }

  const chatsOf = ({ id }: TestUser) =>
    messenger().sql(
      "SELECT c.*, m.* FROM chats AS c JOIN chat_members AS m ON m.chat_id = c.id WHERE m.user_id = $id ORDER BY c.id",
      { id },
    );

  test("can be set and removed repeatedly", async () => {
    const { blocker, blocked } = await twoUsers();
    for (const act of [put, put]) expect(await act(blocker, blocked.id)).toMatchObject({ status: 204, body: "" });
    expect(await listedIds(blocker)).toEqual([blocked.id]);
    for (const act of [unblock, unblock])
      expect(await act(blocker, blocked.id)).toMatchObject({ status: 204, body: "" });
    expect(await listedIds(blocker)).toEqual([]);
    const atOnce = await Promise.all(Array.from({ length: 8 }, () => put(blocker, blocked.id)));
    expect(atOnce.map(({ status }) => status)).toEqual(Array(8).fill(204));
    expect(await listedIds(blocker)).toEqual([blocked.id]);
  });

  test("is listed to the blocking user only, the most recent first, without e-mail addresses", async () => {
    const { blocker, blocked } = await twoUsers();
    const others = [await messenger().person(), await messenger().person()];
    for (const { id } of [blocked, ...others]) await put(blocker, id);
    expect(await listedIds(blocker)).toEqual([...others.map(({ id }) => id).reverse(), blocked.id]);
    // Blocking again is not a later block.
    await put(blocker, blocked.id);
    expect((await listedIds(blocker)).at(-1)).toBe(blocked.id);
    for (const row of await listBlocks(blocker))
      expect(Object.keys(row).sort()).toEqual(["firstName", "id", "lastName"]);
    expect(await listedIds(blocked)).toEqual([]);
  });

  test("of oneself is rejected, and of an unknown or deleted user accepted like any other", async () => {
    const { blocker, blocked } = await twoUsers();
    expect(await put(blocker, blocker.id)).toMatchObject({
      status: 400,
      body: { code: "VALIDATION", detail: expect.stringContaining('"userId"') },
    });
    expect(await put(blocker, unknownId)).toMatchObject({ status: 204, body: "" });
    expect(await put(blocker, "me")).toMatchObject({ status: 400, body: { code: "VALIDATION" } });
    await put(blocker, blocked.id);
    await messenger().http("DELETE", "/users/me", { token: blocked.token, body: { password } });
    expect(await listedIds(blocker)).toEqual([]);
    const other = await messenger().person();
    for (const person of [other, blocker]) expect(await put(person, blocked.id)).toMatchObject({ status: 204 });
    expect(await listedIds(other)).toEqual([]);
  });

  /** Two users who block each other, which they did in a group that the first one has left. */
  async function twoWhoBlockEachOther() {
    const { blocker: ann, blocked: bob, blockers } = await twoUsers();
    const groupId = (await blockers.request("newGroup", { groupName: "us" })).params.item.groupId ?? 0;
    await blockers.request("addUserInGroup", { groupId, userId: bob.id });
    expect(await put(ann, bob.id)).toMatchObject({ status: 204 });
    expect(await put(bob, ann.id)).toMatchObject({ status: 204 });
    for (const [one, other] of [[ann, bob] as const, [bob, ann] as const]) {
      expect(await listedIds(one)).toEqual([other.id]);
    }
    await blockers.request("leaveGroup", { groupId });
    return { ann, bob };
  }

  test("of a user who blocks, too, is stored, though the two share no chat", async () => {
    const { ann, bob } = await twoWhoBlockEachOther();
    await unblock(bob, ann.id);
    for (const _again of [1, 2]) expect(await put(bob, ann.id)).toMatchObject({ status: 204, body: "" });
    await unblock(ann, bob.id);
    expect(await listedIds(bob)).toEqual([ann.id]);
  });

  test("of a user who blocks gets the same answers and pushes as one of nobody", async () => {
    const { blocker, blocked, blockeds } = await twoUsers();
    await put(blocker, blocked.id);
    const answersAbout = async (id: number) => {
      const answers: unknown[] = [];
      const [pushes] = await pushesDuring([blockeds], async () => {
        for (const act of [put, put, unblock, put, unblock, unblock]) {
          const { status, body } = await act(blocked, id);
          answers.push({ status, body, listed: await listedIds(blocked) });
        }
      });
      return { answers, pushes: pushes?.map(({ type, params }) => ({ type, ...params.item, userId: 0 })) };
    };
    const answers = await answersAbout(blocker.id);
    expect(answers).toEqual(await answersAbout(unknownId));
    expect(answers.pushes).toHaveLength(6);
  });

  test("by either of two users keeps each from adding the other one to groups, as if they did not exist", async () => {
    const { blocker, blocked, blockers, blockeds } = await twoUsers();
    await put(blocker, blocked.id);
    const attempts = [
      [blockers, await createGroup(blockers), blocked.id],
      [blockeds, await createGroup(blockeds), blocker.id],
    ] as const;
    for (const [device, groupId, userId] of attempts) {
      const error = await errorOf(device, "addUserInGroup", { groupId, userId });
      expect(error).toEqual(await errorOf(device, "addUserInGroup", { groupId, userId: unknownId }));
      expect(error).toMatchObject({ code: "NOT_FOUND" });
    }
    await unblock(blocker, blocked.id);
    for (const [device, groupId, userId] of attempts) await device.request("addUserInGroup", { groupId, userId });
  });

  test("ends being added to groups again and again by a user who blocks", async () => {
    const { blocker: adder, blocked: added, blockers: adders, blockeds: addeds } = await twoUsers();
    const groupId = await createGroup(adders, [added]);
    await put(adder, added.id);
    await addeds.request("leaveGroup", { groupId });
    expect(await put(added, adder.id)).toMatchObject({ status: 204 });
    await unblock(adder, added.id);
    await adders.requestError("addUserInGroup", { groupId, userId: added.id });
  });

  test("of a user who blocks, too, is listed only while the two share a chat", async () => {
    const { ann, bob } = await twoWhoBlockEachOther();
    expect(await listedIds(bob)).toEqual([]);
    await unblock(ann, bob.id);
    expect(await listedIds(bob)).toEqual([ann.id]);
  });

  test.each([
    ["without a dialog", false],
    ["with a dialog", true],
  ])(
    "makes the blocking user, %s, look nonexistent to the blocked one: the same errors, and no row",
    async (_who, withDialog) => {
      const { blocker, blocked, blockers, blockeds } = await twoUsers();
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
        { type: "addUserInGroup", params: { groupId: unknownId, userId } },
      ];
      const [toBlocker, toNobody] = [frames(blocker.id), frames(unknownId)];
      for (const [index, frame] of toBlocker.entries()) {
        const answer = await blockeds.sendRaw(frame);
        expect(answer).toEqual(await blockeds.sendRaw(toNobody[index] ?? ""));
        expect(answer).toMatchObject({ error: true });
      }
      expect({ his: await chatsOf(blocked), hers: await chatsOf(blocker) }).toEqual(before);
      expect(before.hers).toHaveLength(withDialog ? 1 : 0);
      await blockers.settle();
      const texts = (await pushesOfType(blockers, "privateMessage")).map(({ params }) => params.message);
      expect(texts).toEqual(withDialog ? ["hello"] : []);
    },
  );

  test("hides the blocking user from the blocked one wherever people are found", async () => {
    const { blocker, blocked, blockeds } = await twoUsers();
    const get = async (path: string) => (await messenger().http("GET", path, { token: blocked.token })).body;
    const found = async (query: string) => (await get(`/users?limit=100&${query}`)).data.map(({ id }: Found) => id);
    const queries = [
      `search=${encodeURIComponent(blocker.email)}`,
      `search=${encodeURIComponent(blocker.firstName)}`,
      `ids=${blocker.id}`,
    ];
    for (const query of queries) expect(await found(query)).toContain(blocker.id);
    await put(blocker, blocked.id);
    for (const query of queries) expect(await found(query)).not.toContain(blocker.id);
    const withoutId = ({ requestId: _, ...problem }: Record<string, unknown>) => problem;
    expect(withoutId(await get(`/users/${blocker.id}`))).toEqual(withoutId(await get(`/users/${unknownId}`)));
    for (const type of ["getlatestMessageDialog", "clearDialog"]) {
      const answer = (receiverId: number) => blockeds.requestError(type, { receiverId, limit: 5, page: 1 });
      expect({ ...(await answer(blocker.id)), requestId: 0 }).toEqual({ ...(await answer(unknownId)), requestId: 0 });
    }
    const { body } = await messenger().http("GET", `/users/${blocked.id}`, { token: blocker.token });
    expect(body).toMatchObject({ id: blocked.id });
    await messenger().http("DELETE", `/users/me/blocks/${blocked.id}`, { token: blocker.token });
    for (const query of queries) expect(await found(query)).toContain(blocker.id);
  });

  test("works one way: the blocking user can send, the blocked one receives and cannot reply", async () => {
    const { blocker, blocked, blockers, blockeds } = await twoUsers();
    await put(blocker, blocked.id);
    const { params } = await blockers.request("privateMessage", { receiverId: blocked.id, content: "last words" });
    expect(await blockeds.nextPush("privateMessage")).toMatchObject({ params: { item: params.item } });
    await blockeds.requestError("privateMessage", { receiverId: blocker.id, content: "but" });
    await blockers.request("privateMessage", { receiverId: blocked.id, content: "really the last" });
    expect(await blockeds.nextPush("privateMessage")).toMatchObject({ params: { item: { seq: 2 } } });
  });

  test("leaves the history readable for both", async () => {
    const { blocker, blocked, blockers, blockeds } = await twoUsers();
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

  test("does not keep the two out of a third user's group", async () => {
    const { blocker, blocked, blockers, blockeds } = await twoUsers();
    await put(blocker, blocked.id);
    const friend = await (await messenger().person()).connect();
    const groupId = (await friend.request("newGroup", { groupName: "all of us" })).params.item.groupId ?? 0;
    for (const { id: userId } of [blocker, blocked]) await friend.request("addUserInGroup", { groupId, userId });
    await blockeds.request("messageInGroup", { groupId, content: "hello everyone" });
    expect(await blockers.nextPush("messageInGroup")).toMatchObject({ params: { message: "hello everyone" } });
  });

  test("that is removed has no lasting effect", async () => {
    const { blocker, blocked, blockers, blockeds } = await twoUsers();
    await put(blocker, blocked.id);
    await blockeds.requestError("privateMessage", {
      receiverId: blocker.id,
      content: "not delivered",
      clientMessageId: "once-only",
    });
    await unblock(blocker, blocked.id);
    const again = { receiverId: blocker.id, content: "not delivered", clientMessageId: "once-only" };
    expect((await blockeds.request("privateMessage", again)).params.item).toMatchObject({ seq: 1 });
    expect(await blockers.nextPush("privateMessage")).toMatchObject({ params: { message: "not delivered" } });
    const groupId = (await blockeds.request("newGroup", { groupName: "us" })).params.item.groupId ?? 0;
    await blockeds.request("addUserInGroup", { groupId, userId: blocker.id });
  });

  /** The stored counters of the dialog of two users. */
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
    ["20 sends in progress in a dialog", { rounds: 8, sends: 20, before: 1 }],
    ["20 sends in progress that have just created the dialog", { rounds: 8, sends: 20, before: 0 }],
    ["3 sends that are about to create the dialog", { rounds: 20, sends: 3, before: 0 }],
  ])("lets no message through after its response, with %s, in rounds", async (_what, { rounds, sends, before }) => {
    for (let round = 0; round < rounds; round++) {
      const { blocker, blocked, blockeds } = await twoUsers();
      const write = (device: Device, content: string) =>
        device.exchange({ type: "privateMessage", params: { receiverId: blocker.id, content } });
      for (let count = 0; count < before; count++) await write(blockeds, "before");
      // More sockets of the same user, because the sends of one socket wait for each other.
      const senders = [blockeds, await blocked.connect(), await blocked.connect()];
      const sent = Array.from({ length: sends }, (_, index) => write(senders[index % 3] ?? blockeds, `${index}`));
      // The block arrives at a different moment in every round: after so many answers, or at once.
      if (sends === 20) await Promise.all(sent.slice(0, round));
      expect(await put(blocker, blocked.id)).toMatchObject({ status: 204 });
      const atResponse = await dialogOf(blocker, blocked);
      const answers = await Promise.all(sent);
      await blockeds.requestError("privateMessage", { receiverId: blocker.id, content: "after" });
      expect(await dialogOf(blocker, blocked)).toEqual(atResponse);
      const acknowledged = before + answers.filter(({ success }) => success).length;
      expect(atResponse).toEqual({ lastSeq: acknowledged, messages: acknowledged });
      for (const { error, code } of answers) if (error) expect(code).toBe("NOT_FOUND");
      await messenger().closeDevices();
    }
  });
});

describe("people by ids", () => {
  const byIds = async (query: Record<string, string>) => {
    const { token } = await messenger().person();
    return messenger().http("GET", `/users?${new URLSearchParams(query)}`, { token });
  };

  test("are those who exist, in the order of the ids, each once and without e-mail addresses", async () => {
    const [ann, bob, gone] = [await messenger().person(), await messenger().person(), await messenger().person()];
    await messenger().http("DELETE", "/users/me", { token: gone.token, body: { password } });
    const ids = [bob.id, unknownId, ann.id, gone.id, bob.id].join(",");
    const { status, body } = await byIds({ ids });
    expect({ status, body }).toEqual({
      status: 200,
      body: {
        data: [bob, ann].map(({ id, firstName }) => ({ id, firstName, lastName: null })),
        nextCursor: null,
      },
    });
  });

  test.each<[string, Record<string, string>]>([
    ["none", { ids: "," }],
    ["a word", { ids: "me" }],
    ["zero", { ids: "0" }],
    ["more than 100", { ids: numbers(1, 101).join(",") }],
    ["an id of 16 digits", { ids: "1234567890123456" }],
    ["an id beyond the safe integers", { ids: "1,9007199254740993" }],
    ["an id of no decimal digits", { ids: "1e3" }],
    ["a search as well", { ids: "1", search: "ann" }],
    ["a cursor as well", { ids: "1", cursor: "MQ" }],
  ])("with %s are rejected", async (_what, query) => {
    expect(await byIds(query)).toMatchObject({ status: 400, body: { code: "VALIDATION", field: "query.ids" } });
  });

  test("with an id of more than 15 digits are rejected with that limit", async () => {
    const { body } = await byIds({ ids: "9007199254740993" });
    expect(body.detail).toBe('"ids" must be 1 to 100 ids of users, each of at most 15 digits, separated by commas');
  });
});

describe("a number in a path or a query", () => {
  const tooLarge = ["9007199254740992", "9007199254740993", "99999999999999999999999", "1e400"];
  const misspelled = ["1e0", "1.0", "+1", " 1", "1 ", "01", "0x1", "1_0", "\u0661"];

  test.each([...tooLarge, ...misspelled])("of %j is rejected with its name", async (text) => {
    const { token } = await messenger().person();
    const value = encodeURIComponent(text);
    const requests = [
      ["GET", `/users/${value}`, "path.id"],
      ["PUT", `/users/me/blocks/${value}`, "path.userId"],
      ["DELETE", `/users/me/blocks/${value}`, "path.userId"],
      ["DELETE", `/auth/sessions/${value}`, "path.id"],
      ["GET", `/users?limit=${value}`, "query.limit"],
    ] as const;
    for (const [method, path, field] of requests) {
      const { status, body } = await messenger().http(method, path, { token });
      expect({ path, status, body }).toMatchObject({ path, status: 400, body: { code: "VALIDATION", field } });
    }
  });
});
