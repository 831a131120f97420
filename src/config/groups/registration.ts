import Joi from "joi";
import { domainKey, inviterGroups, registrationPolicies } from "../../domain/registration.ts";
import { choice, group, type Setting, Unset } from "../setting.ts";

/** Domains of e-mail addresses, separated by commas. Converted to the form in which they are compared. */
function domains(variable: string, fallback: Unset, meaning: string): Setting<readonly string[], string | undefined> {
  const allowed = "domains such as example.org, separated by commas";
  const rule = Joi.string()
    .pattern(/^[^\s@,/:]+(,[^\s@,/:]+)*$/)
    .messages({ "string.pattern.base": `{{#label}} must be ${allowed}` });
  const convert = (written: string | undefined) => written?.split(",").map(domainKey) ?? [];
  return { variable, meaning, allowed, fallback, rule, convert };
}

export const registrationSettings = group(
  { title: "Registration" },
  {
    policy: choice(
      "REGISTRATION",
      registrationPolicies,
      "open",
      "Who can create an account: everybody, or only people with an invite. `closed` also hides that invites exist.",
    ),
    domains: domains(
      "REGISTRATION_DOMAINS",
      new Unset("any domain"),
      "Domains of the e-mail addresses that accounts may have, also with an invite and when an address is changed.",
    ),
    invitesBy: choice("INVITES_BY", inviterGroups, "admins", "Who can invite people: administrators, or all users."),
  },
);
