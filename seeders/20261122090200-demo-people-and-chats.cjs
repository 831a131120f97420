"use strict";

const bcrypt = require("bcrypt");

// Demo users, patrick0@example.org to patrick9@example.org, with chats between them.
//
// The rows are those the server would have written: `seq` and `version` of a chat are 1, 2, 3 without a gap, the chat
// has their last values, each change of a group is a system message, and senders have read the messages before theirs.
//
// Existing rows are kept, so running the seeder again changes nothing. Users are identified by e-mail address, dialogs by
// their two users, groups by the client id of their first message.

const password = "messenger demo";
const peopleCount = 10;

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

// Anderssen against Kieseritzky, London, 1851.
const immortalGame =
  `e4 e5 f4 exf4 Bc4 Qh4+ Kf1 b5 Bxb5 Nf6 Nf3 Qh6 d3 Nh5 Nh4 Qg5 Nf5 c6 g4 Nf6 Rg1 cxb5 h4 Qg6 h5 Qg5 Qf3 Ng8 Bxf4 Qf6
   Nc3 Bc5 Nd5 Qxb2 Bd6 Bxg1 e5 Qxa1+ Ke2 Na6 Nxg7+ Kd8 Qf6+ Nxf6 Be7#`.split(/\s+/);

// Users are given by number: 0 is Patrick0. Chats are in the order of their last messages, oldest first, since chat lists
// are sorted by the id of the last message.
const chats = [
  {
    dialog: [6, 7],
    quietFor: 3 * day,
    lines: [
      [6, "Are the tomatoes still standing after the storm?"],
      [7, "All but two. The greenhouse lost a pane."],
      [6, "I have a spare one in the shed."],
      [7, "You are a friend. Saturday?"],
    ],
  },
  {
    group: { name: "Chess", clientMessageId: "demo-group-chess", owner: 3, others: [0, 1, 4, 8] },
    quietFor: 2 * day,
    lines: [
      [3, "Welcome. We meet on Thursdays, and here for everything else."],
      [4, "I bring the clocks."],
      [8, "Is there a beginners' table?"],
      [3, "There is, and Patrick4 is very patient."],
      [1, "Patrick0 and I will play ours by message."],
      [4, "Then post the game when it is over!"],
    ],
  },
  {
    dialog: [0, 5],
    quietFor: day,
    lines: [
      [5, "Did you get the photos from the lighthouse?"],
      [0, "Yes! The third one is wonderful."],
      [5, "I thought you would like it."],
    ],
  },
  {
    dialog: [3, 4],
    quietFor: 20 * hour,
    lines: [
      [3, "How many clocks do we have?"],
      [4, "Seven, but one of them runs slow."],
      [3, "That one is mine, then."],
      [4, "I knew you would say so."],
      [3, "See you on Thursday."],
    ],
  },
  {
    dialog: [2, 0],
    quietFor: 5 * hour,
    lines: [
      [2, "Are you coming on Sunday? We sail at ten."],
      [0, "If the wind holds."],
      [2, "It will."],
    ],
  },
  {
    group: { name: "Sea lovers", clientMessageId: "demo-group-sea-lovers", owner: 0, others: [1, 2, 3, 4, 5] },
    quietFor: hour,
    lines: [
      [0, "Hello, sailors!"],
      [2, "Ahoy."],
      [5, "The lighthouse is open again, by the way."],
      [1, "Since when?"],
      [5, "Since Tuesday. The view is worth the 199 steps."],
      [0, "Sunday then: first the lighthouse, then the boats."],
      [3, "I only came for the fish soup."],
      [2, "There will be soup."],
      [4, "Then I am in as well 🐟"],
    ],
  },
  {
    dialog: [0, 1],
    quietFor: 5 * minute,
    lines: [
      [1, "Hi"],
      [0, "Hi! Shall we play the Immortal Game once more? You are white."],
      [1, "With pleasure."],
      ...immortalGame.map((move, index) => [index % 2 === 0 ? 1 : 0, move]),
      [1, "Checkmate. You will want your revenge, I suppose?"],
    ],
  },
];

/** All messages of a chat, one minute apart. */
function messagesOf({ group, lines, quietFor }, userIds) {
  const ownerId = group && userIds[group.owner];
  const beginning = group
    ? [
        {
          senderId: ownerId,
          clientMessageId: group.clientMessageId,
          event: { kind: "groupCreated", byUserId: ownerId, groupName: group.name },
        },
        ...group.others.map((person) => ({
          senderId: ownerId,
          event: { kind: "memberAdded", byUserId: ownerId, userId: userIds[person] },
        })),
      ]
    : [];
  const messages = [...beginning, ...lines.map(([person, content]) => ({ senderId: userIds[person], content }))];
  const lastAt = Date.now() - quietFor;
  return messages.map((message, index) => ({
    content: "",
    ...message,
    seq: index + 1,
    createdAt: new Date(lastAt - (messages.length - 1 - index) * minute).toISOString(),
  }));
}

/** The members of a chat. Each has read up to their own last message, and in a group at least up to their join. */
function membersOf({ dialog, group }, messages, userIds) {
  const people = group ? [group.owner, ...group.others] : dialog;
  return people.map((person, index) => {
    const userId = userIds[person];
    const arrival = group ? index + 1 : 0;
    const readSeq = messages.findLast(({ senderId }) => senderId === userId)?.seq ?? arrival;
    return {
      userId,
      role: group?.owner === person ? "owner" : "member",
      readSeq: Math.max(readSeq, arrival),
      joinedAt: messages[group ? index : 0].createdAt,
    };
  });
}

/** Inserts the users. @returns their ids, in order */
async function addPeople(select) {
  const persons = Array.from({ length: peopleCount }, (_, number) => ({
    email: `patrick${number}@example.org`,
    firstName: `Patrick${number}`,
  }));
  await select(
    `INSERT INTO users (email, email_key, password_hash, first_name, last_name, first_name_key, last_name_key, created_at)
     SELECT email, lower(email), $passwordHash, "firstName", 'Star', lower("firstName"), 'star', $createdAt
       FROM jsonb_to_recordset($persons::jsonb) AS person (email text, "firstName" text)
      ORDER BY email
         ON CONFLICT (email_key) DO NOTHING`,
    {
      passwordHash: await bcrypt.hash(password, 10),
      createdAt: new Date(Date.now() - 7 * day).toISOString(),
      persons: JSON.stringify(persons),
    },
  );
  // Locked, so that none of these accounts is deleted while chats are added to it.
  const rows = await select("SELECT id, email_key FROM users WHERE email_key = ANY($keys) ORDER BY id FOR KEY SHARE", {
    keys: persons.map(({ email }) => email),
  });
  // The driver returns ids as text, but events contain them as numbers.
  const ids = new Map(rows.map(({ id, email_key }) => [email_key, Number(id)]));
  return persons.map(({ email }) => ids.get(email));
}

async function addChat(select, chat, userIds) {
  const { dialog, group } = chat;
  if (group) {
    const there = await select(
      "SELECT id FROM messages WHERE sender_id = $ownerId AND client_message_id = $clientMessageId",
      { ownerId: userIds[group.owner], clientMessageId: group.clientMessageId },
    );
    if (there.length > 0) return;
  }
  const messages = messagesOf(chat, userIds);
  const pair = dialog?.map((person) => userIds[person]) ?? [];
  const [made] = await select(
    `INSERT INTO chats (kind, name, pair_low, pair_high, last_seq, version, created_at)
     VALUES ($kind, $name, LEAST($one::bigint, $other::bigint), GREATEST($one::bigint, $other::bigint),
             $count, $count, $createdAt)
         ON CONFLICT (pair_low, pair_high) DO NOTHING
  RETURNING id`,
    {
      kind: group ? "group" : "dialog",
      name: group?.name ?? null,
      one: pair[0] ?? null,
      other: pair[1] ?? null,
      count: messages.length,
      createdAt: messages[0].createdAt,
    },
  );
  if (!made) return;

  await select(
    `INSERT INTO chat_members (user_id, chat_id, role, read_seq, joined_at)
     SELECT "userId", $chatId, role, "readSeq", "joinedAt"
       FROM jsonb_to_recordset($members::jsonb)
         AS member ("userId" bigint, role text, "readSeq" bigint, "joinedAt" timestamptz)`,
    { chatId: made.id, members: JSON.stringify(membersOf(chat, messages, userIds)) },
  );
  // Inserted in the order of seq, so that ids ascend with it.
  await select(
    `WITH written AS (
       INSERT INTO messages (chat_id, seq, version, sender_id, client_message_id, event, content, created_at)
       SELECT $chatId, seq, seq, "senderId", "clientMessageId", event, content, "createdAt"
         FROM jsonb_to_recordset($messages::jsonb)
           AS message (seq bigint, "senderId" bigint, "clientMessageId" text, event jsonb, content text,
                       "createdAt" timestamptz)
        ORDER BY seq
    RETURNING id, seq)
     UPDATE chats SET last_message_id = written.id
       FROM written
      WHERE chats.id = $chatId AND written.seq = chats.last_seq`,
    { chatId: made.id, messages: JSON.stringify(messages) },
  );
}

module.exports = {
  up: (queryInterface) => {
    if (process.env.NODE_ENV === "production") {
      throw new Error("Demo data cannot be loaded in production (NODE_ENV=production): its password is public.");
    }
    const { sequelize } = queryInterface;
    return sequelize.transaction(async (transaction) => {
      const select = (sql, bind) => sequelize.query(sql, { bind, transaction, type: "SELECT" });
      const userIds = await addPeople(select);
      for (const chat of chats) await addChat(select, chat, userIds);
    });
  },

  // Users and chats are never removed from the tables, and real users may have sent messages to these since.
  down: () => {
    throw new Error("Demo data stays. To begin again with empty tables: npm run db:reset, which removes everything.");
  },
};
