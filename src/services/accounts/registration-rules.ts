import { domainKey, type InviterGroup, type RegistrationPolicy } from "../../domain/registration.ts";
import { AppError } from "../../errors.ts";

/** Longer lists are not part of an error. */
const maxNamedDomains = 5;

/** Who may create an account, and with which e-mail addresses. */
export class RegistrationRules {
  constructor(
    private readonly options: {
      policy: RegistrationPolicy;
      /** The allowed domains, as `domainKey` returns them; none allows all. */
      domains: readonly string[];
      invitesBy: InviterGroup;
    },
  ) {}

  /** Whether users who are not administrators may invite people. */
  get membersMayInvite(): boolean {
    return this.options.invitesBy === "members";
  }

  /** @throws AppError of kind "registrationClosed" if nobody may register without an invite */
  requireOpen(): void {
    const { policy } = this.options;
    if (policy === "closed") throw new AppError("registrationClosed", "This server does not accept new accounts");
    if (policy === "invite") {
      throw new AppError("registrationClosed", "An invite is needed to create an account on this server");
    }
  }

  /** @throws AppError of kind "registrationClosed" if accounts may not have this e-mail address */
  requireAllowedDomain(email: string): void {
    const { domains } = this.options;
    const domain = domainKey(email.slice(email.lastIndexOf("@") + 1));
    if (domains.length === 0 || domains.includes(domain)) return;
    const isNamed = domains.length <= maxNamedDomains;
    const message = isNamed
      ? `Only e-mail addresses of ${domains.join(", ")} are allowed on this server`
      : "E-mail addresses of this domain are not allowed on this server";
    throw new AppError("registrationClosed", message, { field: "email" });
  }
}
