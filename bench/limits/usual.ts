import { DataTypes, Sequelize } from "sequelize";
import { connectionOptions } from "../../src/db/connect.ts";
import { type RelayedMessage, serveRelay } from "./relay-server.ts";

// Not an upper bound, but the usual implementation on this stack: each message is handled on its own with Sequelize models
// and a pool. It reads the recipients, calls `create` and sends the frames. It guarantees less than the messenger: no order
// of a sender's messages, no deduplication, no history and no sync.

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
    process.stderr.write(`storing a message failed: ${error}\n`);
  });
});
