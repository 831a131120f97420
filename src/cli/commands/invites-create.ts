import { mailMode } from "../../config/mail-mode.ts";
import { expiresInHours, invitedEmail, maxUses } from "../../contract/invites.ts";
import { check, closedObject, optional } from "../../contract/schema.ts";
import { fromCommandLine } from "../../domain/administration.ts";
import { issueInvite } from "../../services/accounts/issue-invite.ts";
import { RegistrationRules } from "../../services/accounts/registration-rules.ts";
import { Mails } from "../../services/mail/mails.ts";
import { pageLinks } from "../../services/page-links.ts";
import { defineCommand } from "../command.ts";

const input = closedObject({
  email: optional(invitedEmail()),
  maxUses: optional(maxUses()),
  expiresInHours: optional(expiresInHours()),
});

export const createInvite = defineCommand({
  name: "invites create",
  summary: "Creates an invite in the name of the server. Its link is printed once.",
  options: [
    { flags: "--email <address>", description: "the only e-mail address that can register with it" },
    { flags: "--max-uses <n>", description: "how many accounts can be created with it (default 1)" },
    { flags: "--expires-in-hours <n>", description: "hours until it expires (default 168, a week)" },
  ],
  needs: "database",
  async run({ config, database }, given) {
    const rules = new RegistrationRules(config.registration);
    const mails = new Mails({ database, isAvailable: mailMode(config) !== "none" });
    const { serverName } = config.web;
    const parts = { database, rules, mails, makeLink: pageLinks(config, config.http.port), serverName };
    const invite = await issueInvite(parts, fromCommandLine, check(input, given, { label: "invite", convert: true }));
    const { id, url, maxUses: uses, expiresAt } = invite;
    const mailed = invite.email !== null && mails.isAvailable ? `A link is also mailed to ${invite.email}.\n` : "";
    const forHowMany = uses === 1 ? "one account" : `${uses} accounts`;
    return {
      text: `Invite ${id}, for ${forHowMany}, until ${expiresAt.toISOString()}:\n${url}\n${mailed}`,
      data: invite,
    };
  },
});
