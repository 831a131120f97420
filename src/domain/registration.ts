/* Who may create an account, and who may invite. */

/** `open`: everybody. `invite`: people with an invite. `closed`: nobody is offered an account, but invites still work. */
export const registrationPolicies = ["open", "invite", "closed"] as const;
export type RegistrationPolicy = (typeof registrationPolicies)[number];

/** Who may create invites. */
export const inviterGroups = ["admins", "members"] as const;
export type InviterGroup = (typeof inviterGroups)[number];

/** The form in which domains of e-mail addresses are compared: any letter case, composed accents. */
export const domainKey = (domain: string): string => domain.normalize("NFC").toLowerCase();
