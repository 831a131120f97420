import type { FairQueue } from "../concurrency/fair-queue.ts";
import type { Database } from "../db/connect.ts";
import type { EpochMonitor } from "../db/epoch-monitor.ts";
import { hasSessionAt } from "../db/queries/accounts/sessions.ts";
import { contactsOf } from "../db/queries/people/contacts.ts";
import type { Delivery } from "../delivery/delivery.ts";
import type { InviterGroup, RegistrationPolicy } from "../domain/registration.ts";
import type { SessionsEnded } from "../domain/session.ts";
import type { Images } from "../files/images.ts";
import type { Logger } from "../logger.ts";
import type { Metrics } from "../metrics/metrics.ts";
import { ChatWriter } from "../writes/chat-transaction.ts";
import { Committer, type ReadStartVersions } from "../writes/commit.ts";
import { Dialogs } from "../writes/dialogs.ts";
import { MessageSender } from "../writes/message-sender.ts";
import { RepeatedSends } from "../writes/repeated-sends.ts";
import { BatchWriter } from "../writes/send-batch.ts";
import { AccountDeletion } from "./accounts/account-deletion.ts";
import { Accounts } from "./accounts/accounts.ts";
import { EmailVerification } from "./accounts/email-verification.ts";
import { Invites } from "./accounts/invites.ts";
import { LogInLimits } from "./accounts/log-in-limits.ts";
import { PasswordReset } from "./accounts/password-reset.ts";
import { type PasswordOptions, Passwords } from "./accounts/passwords.ts";
import { RefreshTokens } from "./accounts/refresh-tokens.ts";
import { RegistrationRules } from "./accounts/registration-rules.ts";
import { Sessions } from "./accounts/sessions.ts";
import { type SigningSecrets, Tokens } from "./accounts/tokens.ts";
import { composeAdministration } from "./administration/compose-administration.ts";
import { MessageErasure } from "./administration/message-erasure.ts";
import { Setup } from "./administration/setup.ts";
import { UsageStatistics } from "./administration/usage-statistics.ts";
import { ReadState } from "./chats/read-state.ts";
import { Sync } from "./chats/sync.ts";
import { composeFiles, type FileParts } from "./files/compose-files.ts";
import { Groups } from "./groups/groups.ts";
import type { RateLimits } from "./limits/rate-limits.ts";
import { Mails } from "./mail/mails.ts";
import { Forwarding } from "./messages/forwarding.ts";
import { History } from "./messages/history.ts";
import { Mentions } from "./messages/mentions.ts";
import { MessageChanges } from "./messages/message-changes.ts";
import { Messages } from "./messages/messages.ts";
import { Pins } from "./messages/pins.ts";
import { Reactions } from "./messages/reactions.ts";
import type { MakePageLink } from "./page-links.ts";
import { Avatars } from "./people/avatars.ts";
import { Blocks } from "./people/blocks.ts";
import { NameAnnouncements } from "./people/name-announcements.ts";
import { People } from "./people/people.ts";
import { Typing } from "./presence/typing.ts";
import { MessageSearch } from "./search/message-search.ts";
import { PersonalState } from "./state/personal-state.ts";

export type Services = ReturnType<typeof composeServices>;

/** Builds the services that handlers use. */
export function composeServices(options: {
  database: Database;
  delivery: Delivery;
  /** See `ReadStartVersions`. */
  readStartVersions: ReadStartVersions;
  limits: RateLimits;
  /** Sign all tokens. */
  secrets: SigningSecrets;
  tokenLifetimeSeconds: number;
  refreshLifetimeMs: number;
  maxSessionsPerUser: number;
  passwords: PasswordOptions;
  maxGroupMembers: number;
  registration: { policy: RegistrationPolicy; domains: readonly string[]; invitesBy: InviterGroup };
  serverName: string;
  makeLink: MakePageLink;
  /** Undefined if pictures cannot be converted. */
  images: Images | undefined;
  files: FileParts;
  /** Whether mails are sent, and whether users have to confirm their e-mail address. */
  mail: { isAvailable: boolean; requiresVerification: boolean };
  epoch: EpochMonitor;
  /** Batches of messages written at the same time. */
  sendConcurrency: number;
  /** Runs changes of accounts, fairly with changes of chats. */
  changes: FairQueue;
  onSessionsEnded: (ended: SessionsEnded) => void;
  /** Called after one of the two users has blocked or unblocked the other. */
  onBlockChange: (pair: [number, number]) => void;
  /** The open sockets of all processes. */
  countSockets: () => number;
  metrics?: Metrics | undefined;
  log: Logger;
}) {
  const { database, delivery, limits, makeLink, countSockets, secrets, metrics } = options;
  const sessions = new Sessions({
    database,
    tokens: new Tokens({ ...secrets, lifetimeSeconds: options.tokenLifetimeSeconds }),
    refreshTokens: new RefreshTokens(secrets),
    refreshLifetimeMs: options.refreshLifetimeMs,
    maxPerUser: options.maxSessionsPerUser,
    requiresVerification: options.mail.requiresVerification,
    onEnded: options.onSessionsEnded,
    log: options.log,
  });
  const passwords = new Passwords(options.passwords);
  const mails = new Mails({ database, isAvailable: options.mail.isAvailable });
  const verification = new EmailVerification({
    database,
    isRequired: options.mail.requiresVerification,
    mails,
    limits,
  });
  const logInLimits = new LogInLimits({
    limits,
    isKnownAddress: ({ emailKeys, address }) =>
      hasSessionAt(database, { emailKeys, address, lifetimeMs: options.refreshLifetimeMs }),
  });
  const committer = new Committer({ delivery, readStartVersions: options.readStartVersions, metrics });
  const chatWriter = new ChatWriter({ database, committer });
  const { maxGroupMembers, serverName } = options;
  const groups = new Groups({ database, chatWriter, maxMembers: maxGroupMembers });
  const rules = new RegistrationRules(options.registration);
  const invites = new Invites({ database, rules, mails, makeLink, maxGroupMembers, serverName });
  const messageChanges = new MessageChanges({ database, chatWriter });
  const reactions = new Reactions({ database, chatWriter, messageChanges });
  const readState = new ReadState({ database, delivery });
  const dialogs = new Dialogs({ database, chatWriter });
  const repeatedSends = new RepeatedSends({ database, committer });
  const batches = new BatchWriter({ database, dialogs, committer, repeatedSends, metrics });
  const people = new People({ database });
  const names = new NameAnnouncements({
    findPerson: async (userId) => (await people.findAll(userId, [userId]))[0],
    findContacts: (userId) => contactsOf(database, userId),
    delivery,
    log: options.log,
  });
  const sender = new MessageSender({ batches, concurrency: options.sendConcurrency });
  const onNameChange = (userId: number) => names.announce(userId);
  const publishEnded = (ended: SessionsEnded) => sessions.publishEnded(ended);
  const deletion = new AccountDeletion({
    database,
    chatWriter,
    // A job removes what is left if this fails.
    onDeletion: (userId) => void reactions.removeAllOf(userId).catch(() => {}),
  });
  const accounts = new Accounts({
    database,
    passwords,
    limits,
    logInLimits,
    sessions,
    rules,
    invites,
    verification,
    chatWriter,
    deletion,
    changes: options.changes,
    onNameChange,
  });
  return {
    accounts,
    sessions,
    invites,
    mails,
    verification,
    setup: new Setup({ database, passwords, accounts }),
    passwordReset: new PasswordReset({ database, passwords, publishEnded }),
    administration: composeAdministration({
      database,
      chatWriter,
      passwords,
      deletion,
      makeLink,
      publishEnded,
      onNameChange,
    }),
    statistics: new UsageStatistics({ database, countSockets }),
    erasure: new MessageErasure({ database, chatWriter }),
    people,
    blocks: new Blocks({ database, chatWriter, delivery, readState, onChange: options.onBlockChange }),
    groups,
    avatars: new Avatars({ database, groups, images: options.images, onChange: onNameChange }),
    messages: new Messages({ messageChanges, sender, maxFiles: options.files.maxPerMessage }),
    forwarding: new Forwarding({ database, dialogs, chatWriter, repeatedSends }),
    reactions,
    pins: new Pins({ database, messageChanges }),
    mentions: new Mentions({ database }),
    history: new History({ database }),
    readState,
    ...composeFiles({ database, files: options.files, secrets, rateLimits: limits, metrics, log: options.log }),
    sync: new Sync({ database, epoch: options.epoch, metrics }),
    state: new PersonalState({ database, delivery }),
    typing: new Typing({ database, delivery }),
    search: new MessageSearch({ database }),
    /** The number of password hashes that wait. */
    passwordQueueLength: () => passwords.queueLength,
    /** Forgets what was read from an earlier history of the database. */
    resetCaches: () => dialogs.reset(),
    /** Stops what services do in the background. */
    stop: () => {
      names.stop();
      reactions.stop();
    },
  };
}
