import { randomBytes } from "node:crypto";
import { emailAddress, firstName, lastName } from "../../contract/fields.ts";
import { check, object, optional } from "../../contract/schema.ts";
import { newAccount, rejectTakenEmail, storeAccount } from "../../services/accounts/new-account.ts";
import { Passwords } from "../../services/accounts/passwords.ts";
import { defineCommand } from "../command.ts";

const account = object({ email: emailAddress(), firstName: firstName(), lastName: optional(lastName()) });

export const createUser = defineCommand({
  name: "users create",
  arguments: "<email>",
  summary: "Creates an account with a random password, which is printed once.",
  options: [
    { flags: "--first-name <name>", description: "first name" },
    { flags: "--last-name <name>", description: "last name" },
  ],
  needs: "database",
  async run({ config, database }, { email, firstName: first, lastName: last }) {
    const given = check(
      account,
      { email, firstName: first, ...(last !== undefined && { lastName: last }) },
      { label: "account" },
    );
    const password = randomBytes(15).toString("base64url");
    const columns = await newAccount(new Passwords(config.passwords), { ...given, password });
    const id = await rejectTakenEmail(() => database.transaction((transaction) => storeAccount(columns, transaction)));
    return {
      text: `The account ${given.email} is created. Its password is ${password}\n`,
      data: { id, email: given.email, password },
    };
  },
});
