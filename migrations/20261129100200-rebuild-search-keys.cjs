"use strict";

// The keys by which e-mail addresses and names are compared are computed by the server (src/models/keys.ts). This is the
// scheme at the time of this migration: full case folding, so that ß equals SS and both small forms of Σ are equal.

const foldCase = (text) => text.toLowerCase().toUpperCase().toLowerCase().replaceAll("ς", "σ");
const emailKey = (email) => email.normalize("NFC").replace(/[^ı]+/g, foldCase).normalize("NFC");
const withoutMarks = (text) => text.replace(/[\p{M}\p{Default_Ignorable_Code_Point}]/gu, "");
const nameKey = (name) =>
  foldCase(withoutMarks(foldCase(name.normalize("NFKC")).normalize("NFKD")))
    .normalize("NFKD")
    .replace(/\s+/g, " ")
    .trim();

const chunkSize = 500;

module.exports = {
  /** @returns notes for the log: accounts whose addresses differed by the earlier scheme and are equal now */
  up: async (queryInterface) => {
    const database = queryInterface.sequelize;
    const collisions = [];
    for (let after = 0; ; ) {
      const [users] = await database.query(
        `SELECT id, email, email_key, first_name, first_name_key, last_name, last_name_key
           FROM users
          WHERE id > $after AND deleted_at IS NULL
          ORDER BY id
          LIMIT ${chunkSize}`,
        { bind: { after } },
      );
      for (const user of users) if (!(await rebuildKeys(database, user))) collisions.push(user.id);
      if (users.length < chunkSize) break;
      after = users.at(-1).id;
    }
    if (collisions.length === 0) return [];
    return [
      `the e-mail addresses of these accounts equal those of others except for case; they keep working as they are ` +
        `spelled, but each should get another address: user ids ${collisions.join(", ")}`,
    ];
  },

  /** The keys of the earlier scheme are computed again when a user changes the name or the address. */
  down: async () => {},
};

/** Each account in a statement of its own. @returns false if the new key of its address belongs to another account */
async function rebuildKeys(database, user) {
  const names = { first: nameKey(user.first_name), last: nameKey(user.last_name ?? "") };
  if (names.first !== user.first_name_key || names.last !== user.last_name_key) {
    await database.query(
      `UPDATE users SET first_name_key = $first, last_name_key = $last
        WHERE id = $id AND first_name = $firstName AND last_name IS NOT DISTINCT FROM $lastName`,
      { bind: { ...names, id: user.id, firstName: user.first_name, lastName: user.last_name } },
    );
  }
  const key = emailKey(user.email);
  if (key === user.email_key) return true;
  try {
    const [changed] = await database.query(
      `UPDATE users SET email_key = $key
      WHERE id = $id AND email = $email AND NOT EXISTS (SELECT FROM users AS other WHERE other.email_key = $key)
  RETURNING id`,
      { bind: { key, id: user.id, email: user.email } },
    );
    return changed.length > 0;
  } catch (error) {
    // Somebody has registered with the key at this moment.
    if (error.original?.code === "23505") return false;
    throw error;
  }
}
