import { DataTypes, Sequelize } from "sequelize";
import { connectionOptions } from "../../src/db/connect.ts";
import { type RelayedMessage, serveRelay } from "./relay-server.ts";

// No limit, but what is usually written on this stack: each message by itself, with Sequelize's models on a pool. A look
// at who may read it, `create`, then the frames. Less than what we promise: nothing keeps the messages of one sender
// in order, nothing repeated is noticed, there is no history to list and nothing to catch up from.

const { DATABASE_URL = "", PEOPLE = "0", GROUPS = "" } = process.env;
const database = new Sequelize({ ...connectionOptions(DATABASE_URL), pool: { max: 10 } });

const Person = database.define("person", { name: DataTypes.TEXT });
const Member = database.define(
  "member",
  { groupId: DataTypes.INTEGER, personId: DataTypes.INTEGER },
  { indexes: [{ fields: ["groupId", "personId"], unique: true }] },
);
const Message = database.define("message", {
  senderId: DataTypes.INTEGER,
  receiverId: DataTypes.INTEGER,
  groupId: DataTypes.INTEGER,
  clientMessageId: DataTypes.TEXT,
  content: DataTypes.TEXT,
});

const numbersTo = (last: number) => Array.from({ length: last }, (_, index) => index + 1);

await database.sync();
await Person.bulkCreate(numbersTo(Number(PEOPLE)).map((id) => ({ id, name: `Person ${id}` })));
for (const groupId of GROUPS.split(",").filter(Boolean).map(Number)) {
  await Member.bulkCreate(numbersTo(groupId).map((personId) => ({ groupId, personId })));
}

async function store({ senderId, params }: RelayedMessage): Promise<void> {
  const { receiverId, groupId } = params;
  if (receiverId !== undefined) await Person.findByPk(receiverId);
  else await Member.findAll({ where: { groupId }, attributes: ["personId"], raw: true });
  await Message.create({ senderId, ...params });
}

serveRelay((message, done) => {
  store(message).then(done, (error) => {
    process.stderr.write(`a message was not stored: ${error}\n`);
  });
});
