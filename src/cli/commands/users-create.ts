import { emailAddress, firstName, lastName } from "../../contract/fields.ts";
import { check, object, optional } from "../../contract/schema.ts";
import { fromCommandLine } from "../../domain/administration.ts";
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
  async run({ administration }, { email, firstName: first, lastName: last }) {
    const given = check(
      account,
      { email, firstName: first, ...(last !== undefined && { lastName: last }) },
      { label: "account" },
    );
    const { id, password } = await administration.users.createWithPassword(fromCommandLine, given);
    return {
      text: `The account ${given.email} is created. Its password is ${password}\n`,
      data: { id, email: given.email, password },
    };
  },
});
