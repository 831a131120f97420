// The protocol of the server, written by `npm run docs` from the server's schemas. Do not edit.

/** The subprotocol to offer, beside `bearer.<token>`. */
export const subprotocol = "messenger.v1";

/**
 * The requests of the WebSocket by type: what is sent, and `data` and `item` of the answer. Besides its own errors, every
 * type can be answered with `VALIDATION`, `RATE_LIMITED`, `UNAVAILABLE` and `INTERNAL`.
 */
export interface Requests {
  /**
   * Send a message to one person. The first message creates the dialog.
   *
   * Errors: `NOT_FOUND`, `CONFLICT`, `LIMIT`, `FORBIDDEN`.
   */
  privateMessage: { params: PrivateMessageParams; data: null; item: MessageItem };
  /**
   * Create a group. You become its owner. Its id is `params.item.groupId` of the answer.
   *
   * Errors: `CONFLICT`, `FORBIDDEN`.
   */
  newGroup: { params: NewGroupParams; data: null; item: MessageItem };
  /**
   * Add a user to a group you are a member of. New members can read the whole history.
   *
   * Errors: `NOT_MEMBER`, `NOT_FOUND`, `CONFLICT`, `LIMIT`, `FORBIDDEN`.
   */
  addUserInGroup: { params: AddUserInGroupParams; data: null; item: MessageItem };
  /**
   * Send a message to a group.
   *
   * Errors: `NOT_MEMBER`, `FORBIDDEN`, `NOT_FOUND`, `CONFLICT`, `LIMIT`.
   */
  messageInGroup: { params: MessageInGroupParams; data: null; item: MessageItem };
  /**
   * Leave a group. If the owner leaves, the longest-standing admin becomes the owner, or the longest-standing member if
   * there is no admin. If the last member leaves, the group is deleted.
   *
   * Errors: `NOT_MEMBER`, `FORBIDDEN`.
   */
  leaveGroup: { params: LeaveGroupParams; data: null; item: MessageItem };
  /**
   * Rename a group. Only admins and the owner may.
   *
   * Errors: `NOT_MEMBER`, `FORBIDDEN`.
   */
  renameGroup: { params: RenameGroupParams; data: null; item: MessageItem };
  /**
   * Remove a member from a group. Admins may remove members without a role; the owner may remove anyone else.
   *
   * Errors: `NOT_MEMBER`, `FORBIDDEN`, `NOT_FOUND`.
   */
  removeUserFromGroup: { params: RemoveUserFromGroupParams; data: null; item: MessageItem };
  /**
   * Change the role of a group member to `admin` or `member`. Only the owner may.
   *
   * Errors: `NOT_MEMBER`, `FORBIDDEN`, `NOT_FOUND`, `CONFLICT`.
   */
  setMemberRole: { params: SetMemberRoleParams; data: null; item: MessageItem };
  /**
   * Make another member the owner of your group. You become an admin.
   *
   * Errors: `NOT_MEMBER`, `FORBIDDEN`, `NOT_FOUND`, `CONFLICT`.
   */
  transferOwnership: { params: TransferOwnershipParams; data: null; item: MessageItem };
  /**
   * Delete a group with its history, for all members. Only the owner may.
   *
   * Errors: `NOT_MEMBER`, `FORBIDDEN`.
   */
  deleteGroup: { params: DeleteGroupParams; data: null; item: MessageItem };
  /**
   * List the members of a group you are a member of: the owner, then the admins, then the other members, each sorted by
   * time of joining.
   *
   * Errors: `NOT_MEMBER`.
   */
  listGroupMembers: { params: ListGroupMembersParams; data: readonly GroupMember[]; item: null };
  /** List your chats, each with its last message. The chat with the newest message comes first. */
  listLastMessage: { params: ListLastMessageParams; data: readonly ChatListRow[]; item: null };
  /**
   * Read your dialog with one person, newest message first. This also works if that account was deleted.
   *
   * Errors: `NOT_FOUND`.
   */
  getlatestMessageDialog: { params: GetlatestMessageDialogParams; data: readonly DialogMessageRow[]; item: null };
  /**
   * Read the messages of a group you are a member of, newest first.
   *
   * Errors: `NOT_MEMBER`.
   */
  getlatestMessageGroup: { params: GetlatestMessageGroupParams; data: readonly GroupMessageRow[]; item: null };
  /**
   * Read messages of one of your chats before, after or around a `seq`, in ascending order. Without a `seq`, you get
   * the newest messages. An answer holds at most 512 KiB, and then fewer messages than `limit`.
   *
   * Errors: `NOT_MEMBER`.
   */
  getMessages: { params: GetMessagesParams; data: readonly MessageItem[]; item: MessagePage };
  /**
   * Synchronize after any absence. You send the state of each chat you have; the answer holds exactly what differs.
   * Pushes are buffered until the answer is sent and continue where it ends. If `hasMore` is true, repeat the request
   * with your new state. Sending a message also marks the chat as read up to that message. If your chats do not fit
   * into one frame (32 KiB), send several requests, each with a `range`.
   */
  sync: { params: SyncParams; data: null; item: SyncResult };
  /**
   * Forward a message of one of your chats to a person (`receiverId`) or a group (`groupId`), exactly one of the two.
   * The copy is an ordinary message of yours that names the first author, and is pushed as `privateMessage` or
   * `messageInGroup`. It cannot be edited. Deleted and system messages cannot be forwarded.
   *
   * Errors: `NOT_FOUND`, `NOT_MEMBER`, `FORBIDDEN`, `CONFLICT`.
   */
  forwardMessage: { params: ForwardMessageParams; data: null; item: MessageItem };
  /**
   * Replace the text of one of your messages, and whom it mentions. The message keeps its `seq` and gets the chat's
   * next `version`.
   *
   * Errors: `NOT_FOUND`, `FORBIDDEN`, `CONFLICT`.
   */
  editMessage: { params: EditMessageParams; data: null; item: MessageItem };
  /**
   * Delete a message: your own, or any message of a group as its admin or owner. The message keeps its `seq`; its text
   * is erased.
   *
   * Errors: `NOT_FOUND`, `FORBIDDEN`, `CONFLICT`.
   */
  deleteMessage: { params: DeleteMessageParams; data: null; item: MessageItem };
  /**
   * React to a message with an emoji, or remove your reaction. If it is as you want it, nothing is stored, and the
   * answer is the message. A message has reactions with at most 20 different emoji, and at most 10 of one user.
   *
   * Errors: `NOT_FOUND`, `FORBIDDEN`, `LIMIT`.
   */
  react: { params: ReactParams; data: null; item: MessageItem };
  /**
   * List who reacts to a message, and with which emoji, the earliest reactions first.
   *
   * Errors: `NOT_FOUND`.
   */
  listReactions: { params: ListReactionsParams; data: readonly ReactionRow[]; item: null };
  /**
   * Pin a message of a chat, or remove its pin: in a group as its admin or owner, in a dialog both people. If it is as
   * you want it, nothing is stored, and the answer is the message. A chat has at most 50 pinned messages.
   *
   * Errors: `NOT_FOUND`, `FORBIDDEN`, `LIMIT`.
   */
  pinMessage: { params: PinMessageParams; data: null; item: MessageItem };
  /**
   * List the pinned messages of one of your chats, the newest pin first.
   *
   * Errors: `NOT_MEMBER`.
   */
  listPinned: { params: ListPinnedParams; data: readonly MessageItem[]; item: null };
  /**
   * Search the messages of all your chats, or of one, for words: 1 to 5, of at least 2 characters each (Chinese,
   * Japanese and Korean ones of at least 1). A message is found if it contains all of them, also inside other words;
   * case and accents do not matter. The newest messages come first. An answer holds at most 512 KiB.
   *
   * Errors: `NOT_MEMBER`.
   */
  searchMessages: { params: SearchMessagesParams; data: readonly FoundMessage[]; item: SearchResult };
  /**
   * List the messages of others that mention you, or everybody, in the chats you are in, the newest first. An answer
   * holds at most 512 KiB, and then fewer messages than `limit`.
   */
  listMentions: { params: ListMentionsParams; data: readonly MessageItem[]; item: MentionsPage };
  /**
   * Mark a chat as read up to a `seq`. The read position never moves back: a smaller `seq` changes nothing.
   *
   * Errors: `NOT_MEMBER`, `FORBIDDEN`.
   */
  markRead: { params: MarkReadParams; data: null; item: ReadPosition };
  /**
   * List the members of the chat who have read up to a message, those who have read furthest first. Members who block
   * you, or whom you block, are left out. Nothing is pushed when more members read it.
   *
   * Errors: `NOT_FOUND`.
   */
  listReaders: { params: ListReadersParams; data: readonly Reader[]; item: null };
  /**
   * Clear your dialog with one person: its messages so far are hidden, for you only. The dialog is listed again with
   * its next message. Hidden messages count as read; the other person gets a `markRead` push.
   *
   * Errors: `NOT_FOUND`, `FORBIDDEN`.
   */
  clearDialog: { params: ClearDialogParams; data: null; item: ClearedDialog | null };
  /**
   * Set one key of your personal state, which all your devices share: settings of a chat, a draft, or preferences. If
   * it has this value already, nothing is stored. At most 5,000 keys.
   *
   * Errors: `NOT_MEMBER`, `LIMIT`, `FORBIDDEN`.
   */
  setState: { params: SetStateParams; data: null; item: StateChange };
  /**
   * Notify the other members of a chat that you are typing. Nothing is stored. A notification is pushed at most every
   * two seconds, and never in groups of more than 50 members.
   *
   * Errors: `NOT_MEMBER`, `NOT_FOUND`, `FORBIDDEN`.
   */
  typing: { params: TypingParams; data: null; item: null };
  /**
   * Watch whether people are online. The answer holds their current presence; this socket then gets a push for each
   * change. `userIds` replaces the list of watched people; `add` and `remove` change it, and then the answer holds the
   * presence of those added. A socket watches at most 100. You can only see people you share a chat with, and only
   * while neither of you blocks the other. Everyone else is shown as offline. If you lose sight of a person you watch,
   * that person is shown as offline at once.
   *
   * Errors: `LIMIT`.
   */
  watchPresence: { params: WatchPresenceParams; data: readonly Presence[]; item: null };
  /** Renew this socket's session with a new token, before the current token expires and the socket is closed (4401). */
  authenticate: { params: AuthenticateParams; data: null; item: SocketExpiry };
  /**
   * Check that the socket still works, where the program cannot see the pings of the protocol: pages in a browser. One
   * request in ten seconds counts against no rate limit.
   */
  ping: { params: PingParams; data: null; item: Pong };
}

export type RequestType = keyof Requests;

/** The pushes of the WebSocket: `item` by type. More types will be added. */
export interface Pushes {
  /** Sent to every device of the receiver and the sender's other devices. */
  privateMessage: MessageItem;
  /** Sent to your other devices. */
  newGroup: MessageItem;
  /** Sent to every device of every member, including the added one. */
  addUserInGroup: MessageItem;
  /** Sent to every device of every member, including the sender's other devices. */
  messageInGroup: MessageItem;
  /**
   * Sent to every device of the remaining members and your other devices. Also sent when a member deletes the account.
   */
  leaveGroup: MessageItem;
  /** Sent to every device of every member. */
  renameGroup: MessageItem;
  /** Sent to every device of every member and of the removed user. */
  removeUserFromGroup: MessageItem;
  /** Sent to every device of every member. */
  setMemberRole: MessageItem;
  /** Sent to every device of every member. Also sent when an owner leaves. */
  transferOwnership: MessageItem;
  /** Sent to every device of every former member. */
  deleteGroup: MessageItem;
  /** Sent to every device of every member. */
  editMessage: MessageItem;
  /** Sent to every device of every member. */
  deleteMessage: MessageItem;
  /** Sent to every device of every member. */
  react: MessageItem;
  /** Sent to every device of every member. */
  pinMessage: MessageItem;
  /**
   * Sent to your other devices and, in a dialog, the devices of the other person, unless one of you blocks the other.
   * Pushes may arrive out of order: keep the greatest `readSeq`.
   */
  markRead: ReadPosition;
  /** Sent to your other devices. */
  clearDialog: ClearedDialog | null;
  /** Sent to your other devices. Pushes may arrive out of order: call `sync` if `stateVersion` is not the next one. */
  setState: StateChange;
  /** Sent to every device of the other members, except members who block you or whom you block. */
  typing: TypingSignal;
  /** Sent to the sockets that watch the person. A disconnect of less than 15 seconds is not shown. */
  presence: Presence;
  /**
   * A user has changed their name or avatar. Sent to every device of the user and, best-effort, of users who share a
   * chat with the user, unless one of the two blocks the other.
   */
  profile: ProfileChange;
  /** You have blocked or unblocked a user. Sent to your own devices. */
  block: BlockChange;
  /** An admin has changed or removed the avatar of a group. Sent to every device of every member. */
  groupAvatar: MessageItem;
}

export type PushType = keyof Pushes;

/** What a client sends. */
export interface RequestFrame<Type extends RequestType = RequestType> {
  type: Type;
  params: Requests[Type]["params"];
  requestId?: RequestId;
}

/** The answer to a request. A rejected request is answered with an `ErrorFrame`. */
export interface AnswerFrame<Type extends RequestType = RequestType> {
  type: Type;
  success: true;
  params: {
    data: Requests[Type]["data"];
    message: null;
    senderName: null;
    item: Requests[Type]["item"];
    isBroadcast: false;
  };
  requestId?: RequestId;
}

/** What the server sends without a request. */
export interface PushFrame<Type extends PushType = PushType> {
  type: Type;
  success: true;
  params: {
    data: null;
    message: string | null;
    senderName: string | null;
    item: Pushes[Type];
    isBroadcast: true;
  };
}

/** The routes of HTTP: what is sent and, unless the status is 204, the body of the answer. Errors are a `Problem`. */
export interface HttpRoutes {
  /** Get the name, version, features and limits of the server. */
  "GET /api/info": { answer: ServerInfo };
  /** Create an account and log in. An invite is needed unless registration is open; it also names groups to join. */
  "POST /auth/register": { body: PostAuthRegisterBody; answer: Session };
  /** Log in. An unknown e-mail address and a wrong password return the same error. */
  "POST /auth/login": { body: PostAuthLoginBody; answer: Session };
  /**
   * Exchange a refresh token for a new access token and a new refresh token. Each refresh token works once; if the
   * response is lost, the same request can be repeated for 30 seconds. A refresh token that was replaced earlier ends
   * the session.
   */
  "POST /auth/refresh": { body: PostAuthRefreshBody; answer: Session };
  /**
   * Create the first administrator's account and log in, with the token of the link that `messenger setup-link` prints.
   * The link works once, for 30 minutes, and only while there is no administrator.
   */
  "POST /auth/setup": { body: PostAuthSetupBody; answer: Session };
  /**
   * Choose a new password with the token of a link. It works once, for 30 minutes. All sessions and all other links of
   * the account end. A suspended account stays suspended.
   */
  "POST /auth/password/reset": { body: PostAuthPasswordResetBody };
  /** End this session. Its tokens become invalid and its WebSockets are closed. */
  "POST /auth/logout": Record<never, never>;
  /** List your sessions, the most recently used first. */
  "GET /auth/sessions": { answer: GetAuthSessionsAnswer };
  /** End one of your sessions. */
  "DELETE /auth/sessions/{id}": { path: DeleteAuthSessionsIdPath };
  /** End all your sessions except this one. */
  "DELETE /auth/sessions": Record<never, never>;
  /**
   * Get a mail with a link to choose a new password. The answer is the same whether or not there is such an account.
   * Each account gets at most three mails an hour; the link of the latest one works.
   */
  "POST /auth/password/forgot": { body: PostAuthPasswordForgotBody };
  /**
   * Confirm an e-mail address with the token of a mailed link. A new address of an account takes effect, which the
   * earlier one is notified of.
   */
  "POST /auth/email/verify": { body: PostAuthEmailVerifyBody };
  /** Get the mail to confirm your e-mail address again. Earlier links end. */
  "POST /auth/email/resend": Record<never, never>;
  /**
   * Make a picture your avatar: the body, at most 5 MiB of PNG, JPEG, GIF, WebP or AVIF. The middle of it becomes a
   * WebP of 256 by 256 pixels. The avatar before is removed.
   */
  "PUT /users/me/avatar": { answer: PutUsersMeAvatarAnswer };
  /** Remove your avatar. */
  "DELETE /users/me/avatar": Record<never, never>;
  /**
   * Make a picture the avatar of a group, as its admin or owner; as for your own. The members receive a system message,
   * pushed as `groupAvatar`.
   */
  "PUT /groups/{id}/avatar": { path: PutGroupsIdAvatarPath; answer: PutGroupsIdAvatarAnswer };
  /** Remove the avatar of a group, as its admin or owner. If it has none, nothing is stored. */
  "DELETE /groups/{id}/avatar": { path: DeleteGroupsIdAvatarPath };
  /**
   * Get an avatar, without log-in: its id cannot be guessed. A changed avatar has another id, so the response may be
   * cached for ever.
   */
  "GET /avatars/{id}": { path: GetAvatarsIdPath };
  /** Get your account. */
  "GET /users/me": { answer: Profile };
  /**
   * Change your name or e-mail address. A new e-mail address requires your password. With `EMAIL_VERIFICATION=required`
   * it is `pendingEmail` until it is confirmed; the present address withdraws it.
   */
  "PATCH /users/me": { body: PatchUsersMeBody; answer: Profile };
  /** Change your password. All your other sessions end. */
  "PUT /users/me/password": { body: PutUsersMePasswordBody };
  /** Delete your account permanently. Your messages stay in the chats, with the sender "Deleted user". */
  "DELETE /users/me": { body: DeleteUsersMeBody };
  /** List the users you block, the most recent first. */
  "GET /users/me/blocks": { answer: GetUsersMeBlocksAnswer };
  /**
   * Block a user. For the blocked user your account appears not to exist. Succeeds for every id, so that the answer
   * does not tell whether that user blocks you.
   */
  "PUT /users/me/blocks/{userId}": { path: PutUsersMeBlocksUserIdPath };
  /** Unblock a user. */
  "DELETE /users/me/blocks/{userId}": { path: DeleteUsersMeBlocksUserIdPath };
  /**
   * Find users by name, e-mail address or ids, in pages. Without `search` and `ids`, list all users. Users who block
   * you are not found.
   */
  "GET /users": { query: GetUsersQuery; answer: GetUsersAnswer };
  /** Get a user. */
  "GET /users/{id}": { path: GetUsersIdPath; answer: Person };
  /** Invite somebody. The token and the link are returned only once. For administrators, or all users (`invitesBy`). */
  "POST /invites": { body: PostInvitesBody; answer: PostInvitesAnswer };
  /** List the invites that you have made, the newest first, in pages; administrators see all. */
  "GET /invites": { query: GetInvitesQuery; answer: GetInvitesAnswer };
  /** Read an invite by its token, to show who invites whom. One that nobody can use is not found. */
  "GET /invites/{invite}": { path: GetInvitesInvitePath; answer: InviteDescription };
  /** Revoke an invite by its id: one of yours, or any if you are an administrator. */
  "DELETE /invites/{invite}": { path: DeleteInvitesInvitePath };
  /**
   * Announce a file, then `PUT` its content to `uploadUrl` and send it in a message with `fileIds`. Until `expiresAt`
   * it is kept without a message.
   */
  "POST /files": { body: PostFilesBody; answer: PostFilesAnswer };
  /**
   * Make links to files, for pages: they work without a token, as long as you may read the file, are logged in, and
   * until `expiresAt`. `&size=320` may be added. Files that you may not read are left out.
   */
  "POST /files/links": { body: PostFilesLinksBody; answer: PostFilesLinksAnswer };
  /**
   * Upload the content of a file, with its size as `Content-Length`. The same content again succeeds again, other
   * content is a conflict.
   */
  "PUT /files/{id}/content": { path: PutFilesIdContentPath; answer: PutFilesIdContentAnswer };
  /**
   * Get a file of a message that you can see, or a thumbnail of a picture. With a token, or with a `link` in place of
   * it. One range is answered with 206.
   */
  "GET /files/{id}": { path: GetFilesIdPath; query: GetFilesIdQuery };
  /** List accounts, the oldest first, in pages. */
  "GET /admin/users": { query: GetAdminUsersQuery; answer: GetAdminUsersAnswer };
  /** Create an account. Its owner chooses the password with the link of the answer. */
  "POST /admin/users": { body: PostAdminUsersBody; answer: PostAdminUsersAnswer };
  /**
   * Change an account. Suspending it ends its sessions and closes its sockets (4401); nobody can log in until it is
   * resumed.
   */
  "PATCH /admin/users/{id}": { path: PatchAdminUsersIdPath; body: PatchAdminUsersIdBody; answer: ManagedUser };
  /**
   * Make a link with which the user chooses a new password, and end all their sessions. Anybody with the link can use
   * the account.
   */
  "POST /admin/users/{id}/reset-password": {
    path: PostAdminUsersIdResetPasswordPath;
    answer: PostAdminUsersIdResetPasswordAnswer;
  };
  /**
   * Delete an account permanently. Its messages stay, with the sender "Deleted user", unless `erase` is `true`: then
   * all of them are deleted in the background, and the answer is 202.
   */
  "DELETE /admin/users/{id}": { path: DeleteAdminUsersIdPath; query: DeleteAdminUsersIdQuery };
  /** List groups, the oldest first, in pages. What is written in them cannot be read. */
  "GET /admin/groups": { query: GetAdminGroupsQuery; answer: GetAdminGroupsAnswer };
  /** Delete a group with its history. Its members are notified. */
  "DELETE /admin/groups/{id}": { path: DeleteAdminGroupsIdPath };
  /** Make a member of a group its owner. The previous owner becomes an admin of the group. */
  "PUT /admin/groups/{id}/owner": { path: PutAdminGroupsIdOwnerPath; body: PutAdminGroupsIdOwnerBody };
  /** Get how much the server is used. */
  "GET /admin/stats": { answer: Statistics };
  /** List what administrators have done, over HTTP and on the command line, the latest first, in pages. */
  "GET /admin/audit": { query: GetAdminAuditQuery; answer: GetAdminAuditAnswer };
}

/** Whether a client may open another socket: at once, after a pause, after a new log-in, or not at all. */
export type Reconnect = "yes" | "later" | "afterLogIn" | "no";

/** A code with which the server closes a socket. */
export interface CloseCode {
  code: number;
  /** The texts that are sent with the code, for people. */
  reasons: readonly string[];
  reconnect: Reconnect;
}

/** The codes with which the server closes a socket. After any other code, reconnect. More codes will be added. */
export const closeCodes = {
  /** The server stops or restarts. */
  restart: { code: 1012, reasons: ["server restarting"], reconnect: "yes" },
  /** Internal server error. */
  internal: { code: 1011, reasons: ["internal error"], reconnect: "yes" },
  /** The server has reached its limit of sockets. Reconnect with back-off. */
  overloaded: { code: 1013, reasons: ["overloaded"], reconnect: "later" },
  /** The client violated the WebSocket protocol. */
  protocolError: { code: 1002, reasons: [], reconnect: "no" },
  /** The client sent a binary frame. */
  binary: { code: 1003, reasons: ["text frames only"], reconnect: "no" },
  /** The client sent a text frame that is not UTF-8. */
  notUtf8: { code: 1007, reasons: [], reconnect: "no" },
  /** The client sent a message in too many fragments. */
  tooManyFragments: { code: 1008, reasons: [], reconnect: "no" },
  /** The client sent a frame that is too large. */
  tooLarge: { code: 1009, reasons: [], reconnect: "no" },
  /** The client sent too many malformed frames (`BAD_JSON`, `UNKNOWN_TYPE`, an invalid `requestId`). */
  malformed: { code: 4400, reasons: ["too many malformed frames"], reconnect: "no" },
  /** The session was ended, or the token of the socket expired. Refresh the token or log in again. */
  sessionEnded: { code: 4401, reasons: ["session ended", "token expired"], reconnect: "afterLogIn" },
  /** The account was deleted. */
  accountDeleted: { code: 4403, reasons: ["account deleted"], reconnect: "no" },
  /** The client reads its pushes too slowly. Reconnect and send `sync`. */
  tooSlow: { code: 4408, reasons: ["too slow: reconnect and sync"], reconnect: "yes" },
  /** The user opened more sockets than one user may have; this was the oldest. */
  tooManySockets: { code: 4409, reasons: ["too many sockets"], reconnect: "no" },
  /** The client kept sending after `RATE_LIMITED`, or sent too many pings. Reconnect after 30 seconds. */
  flood: { code: 4429, reasons: ["too many requests", "too many pings"], reconnect: "later" },
} as const satisfies Record<string, CloseCode>;

/** Whether an account can log in. */
export type AccountStatus = "active" | "suspended";

/** How many accounts were used in the last 24 hours, 7 days and 30 days. */
export interface ActiveAccounts {
  day: number;
  week: number;
  month: number;
}

export interface AddUserInGroupParams {
  /** Id of a group; the same number as its `chatId`. */
  groupId: number;
  /** Id of a user. */
  userId: number;
}

/** A role that the owner of a group can give. */
export type AssignableRole = "admin" | "member";

/** An action of an administrator. */
export interface AuditRecord {
  id: number;
  at: string;
  /** The administrator; `null` for the command line and the server itself. */
  actorId: number | null;
  source: AuditSource;
  /** What was done, such as `user.suspend`. */
  action: string;
  /** What it was done to, such as `user` or `group`. */
  targetType: string | null;
  targetId: number | null;
  /** Ids, roles and names of changed fields. Never names, addresses or texts. */
  details: Record<string, unknown>;
  /** The network address of the request. */
  address: string | null;
}

/** How an action reached the server. */
export type AuditSource = "http" | "cli" | "system";

export interface AuthenticateParams {
  /** A new token of the same user, from `POST /auth/refresh`. */
  token: string;
}

/** A block that you have made or removed. */
export interface BlockChange {
  /** Id of a user. */
  userId: number;
  /** Whether you block the user now. */
  blocked: boolean;
}

/** What happened to a group, for programs; the message's text says the same for people. */
export interface ChatEvent {
  kind: ChatEventKind;
  /** The user who did it. */
  byUserId: number;
  /** The user it happened to, if that is not `byUserId`. */
  userId?: number;
  /** The name given by `groupCreated` and `groupRenamed`. */
  groupName?: string;
  /** The role given by `roleChanged`. */
  role?: AssignableRole;
  /** The avatar given by `avatarChanged`; absent if it was removed. */
  avatarId?: string;
}

/** What happened. More kinds will be added: show an unknown one as plain text. */
export type ChatEventKind =
  | "groupCreated"
  | "groupRenamed"
  | "avatarChanged"
  | "groupDeleted"
  | "memberAdded"
  | "memberRemoved"
  | "memberLeft"
  | "roleChanged"
  | "ownershipTransferred"
  | (string & {});

/** Whether a chat is a dialog of two users or a group. */
export type ChatKind = "dialog" | "group";

/** What is counted and notified: all messages (as without it), mentions only, or nothing. */
export type ChatLevel = "all" | "mentions" | "none";

/** A chat with its last message. */
export interface ChatListRow {
  /** Id of a message. */
  id: number;
  /** Position of a message in its chat: 1, 2, 3 and so on without gaps. */
  seq: number;
  /** Number of the chat's change that last wrote this message; without gaps in each chat. */
  version: number;
  notification: boolean;
  event?: ChatEvent;
  replyTo?: RepliedMessage;
  files?: readonly MessageFile[];
  editedAt: string | null;
  deletedAt: string | null;
  /** Id of a user. */
  senderId: number;
  senderName: string;
  /** Id of a user. */
  receiverId: number | null;
  receiverName: string | null;
  /** Id of a group; the same number as its `chatId`. */
  groupId: number | null;
  /** Name of a group, 1 to 64 UTF-16 units, with a visible character and without controls of the direction of text. */
  groupName: string | null;
  content: string;
  createdAt: string;
  /** When the message was last changed: sent, edited or deleted. */
  updatedAt: string;
  /** Id of a chat: a group, or the dialog of two users. */
  chatId: number;
  /** `version` of the chat's last change. */
  chatVersion: number;
  /** Number of messages after `readSeq`. */
  unread: number;
  /** Number of messages after `readSeq` that mention you, or everybody; at most 99. */
  mentions: number;
  /** `seq` of the newest message you have read. */
  readSeq: number;
  /** Id of an avatar: `GET /avatars/{id}` is the picture. Absent without one. */
  avatarId?: string;
}

/** Your settings of a chat, under `chat:ID`. */
export interface ChatSettings {
  level?: ChatLevel;
  /** Muted until then; for ever is `9999-12-31T23:59:59.999Z`. Absent or past: not muted. */
  mutedUntil?: string;
  /** Archived while the chat's last `seq` is not greater, or while the chat is muted. */
  archivedSeq?: number;
  /** The chat is shown above others, by rising numbers. */
  pinned?: number;
  /** Shown as unread until the chat is opened. */
  markedUnread?: true;
}

export interface ClearDialogParams {
  /** Id of a user. */
  receiverId: number;
}

/** Up to where a dialog is hidden from you. */
export interface ClearedDialog {
  /** Id of a chat: a group, or the dialog of two users. */
  chatId: number;
  clearedSeq: number;
  readSeq: number;
}

export interface DeleteAdminGroupsIdPath {
  /** Id of a group; the same number as its `chatId`. */
  id: number;
}

export interface DeleteAdminUsersIdPath {
  /** Id of a user. */
  id: number;
}

export interface DeleteAdminUsersIdQuery {
  erase?: EraseMessages;
}

export interface DeleteAuthSessionsIdPath {
  id: number;
}

export interface DeleteGroupParams {
  /** Id of a group; the same number as its `chatId`. */
  groupId: number;
}

export interface DeleteGroupsIdAvatarPath {
  /** Id of a group; the same number as its `chatId`. */
  id: number;
}

export interface DeleteInvitesInvitePath {
  /** Id of an invite. */
  invite: number;
}

export interface DeleteMessageParams {
  /** Id of a message. */
  messageId: number;
  /** The `version` of the message as you have it. If the message has another one: `CONFLICT`. */
  ifVersion?: number;
}

export interface DeleteUsersMeBlocksUserIdPath {
  /** Id of a user. */
  userId: number;
}

export interface DeleteUsersMeBody {
  /** The current password. */
  password: string;
}

/** A message of a dialog. */
export interface DialogMessageRow {
  /** Id of a user. */
  sender_id: number;
  /** Id of a user. */
  receiver_id: number;
  /** First name of the receiver. */
  receverName: string;
  content: string;
  created_at: string;
  /** Id of a message. */
  id: number;
  /** Position of a message in its chat: 1, 2, 3 and so on without gaps. */
  seq: number;
  /** Number of the chat's change that last wrote this message; without gaps in each chat. */
  version: number;
  notification: boolean;
  event?: ChatEvent;
  replyTo?: RepliedMessage;
  files?: readonly MessageFile[];
  editedAt: string | null;
  deletedAt: string | null;
  reactions?: readonly Reaction[];
  /** The parts of the text that mean people, by `offset`; absent if there are none. */
  mentions?: readonly Mention[];
  /** The text means everybody in the group. */
  mentionsAll?: true;
  forwarded?: Forwarded;
}

/** A message that is not sent yet, under `draft:ID`. */
export interface Draft {
  text: string;
  /** The message that it replies to. */
  replyTo?: number;
  updatedAt: string;
}

export interface EditMessageParams {
  /** Id of a message. */
  messageId: number;
  /** The text: 1 to 4,096 UTF-16 units, with a visible character. */
  content: string;
  /** The `version` of the message as you have it. If the message has another one: `CONFLICT`. */
  ifVersion?: number;
  /**
   * The parts of the text that mean members of the chat, at most 50. They are inside the text, do not overlap, and
   * split no surrogate pair. Those of people who are not members are dropped.
   */
  mentions?: readonly Mention[];
  /** The text means everybody in the group. In groups of more than 20 only by admins and the owner. */
  mentionsAll?: true;
}

/** Whether to delete the messages of the user, too. Also for an account that was deleted before. */
export type EraseMessages = "true" | "false";

/**
 * `VALIDATION`: A field is invalid; the text names the field and its rule.
 *
 * `UNAUTHENTICATED`: The token is missing, invalid or expired, or its session has ended.
 *
 * `BAD_CREDENTIALS`: The e-mail address or the password is wrong.
 *
 * `REAUTH_REQUIRED`: The change needs the current password.
 *
 * `FORBIDDEN`: The user's role does not allow this, or the user has to confirm an e-mail address first.
 *
 * `NOT_MEMBER`: The chat does not exist, or the user is not a member of it.
 *
 * `NOT_FOUND`: The object does not exist, or the user may not see it.
 *
 * `EMAIL_TAKEN`: Another account has this e-mail address.
 *
 * `REGISTRATION_CLOSED`: Nobody may register, or only with an invite, or only with addresses of certain domains.
 *
 * `INVITE_INVALID`: The invite is unknown, used up, expired or revoked, or for another e-mail address.
 *
 * `TOKEN_INVALID`: The link is unknown, used or expired.
 *
 * `SUSPENDED`: An administrator has suspended the account.
 *
 * `LAST_ADMIN`: The server would be left without an administrator.
 *
 * `NOT_CONFIGURED`: The server is not set up for this.
 *
 * `CONFLICT`: The current state does not allow this.
 *
 * `LIMIT`: A maximum is reached.
 *
 * `RATE_LIMITED`: Too many requests; wait `retryAfterMs`.
 *
 * `UNAVAILABLE`: The server cannot process the request now, or its outcome is unknown; repeat it with the same
 * `clientMessageId`.
 *
 * `INTERNAL`: Internal server error.
 *
 * `BAD_JSON`: The body or frame is not one JSON object.
 *
 * `UNKNOWN_TYPE`: There is no such message type. WebSocket only.
 *
 * `TOO_LARGE`: The body or the file is too large. HTTP only.
 *
 * `QUOTA`: The files of the user, or of the server, take all the space that they may. HTTP only.
 *
 * `NOT_READY`: The content of the file has not been received, or not been scanned. HTTP only.
 *
 * `UPLOAD_MISMATCH`: The content does not have the announced size, or was cut off; nothing was kept. HTTP only.
 *
 * `METHOD_NOT_ALLOWED`: The address does not have this method; `Allow` lists those it has. HTTP only.
 *
 * `FOREIGN_ORIGIN`: The page's origin may not open a WebSocket. Only in answer to the upgrade request.
 */
export type ErrorCode =
  | "VALIDATION"
  | "UNAUTHENTICATED"
  | "BAD_CREDENTIALS"
  | "REAUTH_REQUIRED"
  | "FORBIDDEN"
  | "NOT_MEMBER"
  | "NOT_FOUND"
  | "EMAIL_TAKEN"
  | "REGISTRATION_CLOSED"
  | "INVITE_INVALID"
  | "TOKEN_INVALID"
  | "SUSPENDED"
  | "LAST_ADMIN"
  | "NOT_CONFIGURED"
  | "CONFLICT"
  | "LIMIT"
  | "RATE_LIMITED"
  | "UNAVAILABLE"
  | "INTERNAL"
  | "BAD_JSON"
  | "UNKNOWN_TYPE"
  | "TOO_LARGE"
  | "QUOTA"
  | "NOT_READY"
  | "UPLOAD_MISMATCH"
  | "METHOD_NOT_ALLOWED"
  | "FOREIGN_ORIGIN";

/** The answer to a request that was rejected. */
export interface ErrorFrame {
  error: true;
  /** The type of the request; `processor` if it named no known type. */
  type: string;
  /** What is wrong, for people. */
  message: string;
  code: ErrorCode;
  /** With `VALIDATION`: the invalid field, such as `params.content`. */
  field?: string;
  requestId?: RequestId;
  /** The outcome is unknown; the same request may be sent again. */
  retryable?: true;
  /** How long to wait before trying again, in milliseconds. */
  retryAfterMs?: number;
}

/** A link to a file, for pages. */
export interface FileLink {
  /** Id of a file, a UUID. */
  id: string;
  /** A path of this server. */
  url: string;
  expiresAt: string;
}

export interface ForwardMessageParams {
  /** Id of a message. */
  messageId: number;
  /** Id of a user. */
  receiverId?: number;
  /** Id of a group; the same number as its `chatId`. */
  groupId?: number;
  /**
   * Chosen by the client, a new one for each message. Sending it again never stores the message twice. 8 to 64
   * printable ASCII characters.
   */
  clientMessageId?: string;
}

/** Who first wrote a forwarded message. Absent once it is deleted. */
export interface Forwarded {
  /** The user who first wrote it. */
  senderId: number;
  /** First name; `Deleted user` once the account is gone. */
  senderName: string;
}

/** A message that a search has found. */
export interface FoundMessage {
  /** Id of a chat: a group, or the dialog of two users. */
  chatId: number;
  /** Id of a message. */
  messageId: number;
  /** Position of a message in its chat: 1, 2, 3 and so on without gaps. */
  seq: number;
  /** Number of the chat's change that last wrote this message; without gaps in each chat. */
  version: number;
  /** Id of a user. */
  senderId: number;
  /** First name of the sender; `Deleted user` once the account is gone. */
  senderName: string;
  senderLastName: string | null;
  /** The recipient, in a dialog. */
  receiverId?: number;
  /** Id of a group; the same number as its `chatId`. */
  groupId?: number;
  /** Name of a group, 1 to 64 UTF-16 units, with a visible character and without controls of the direction of text. */
  groupName?: string;
  /** The text; empty once deleted. */
  message: string;
  /**
   * Chosen by the client, a new one for each message. Sending it again never stores the message twice. 8 to 64
   * printable ASCII characters.
   */
  clientMessageId?: string;
  /** The message was stored by an earlier request with this `clientMessageId`; this one stored nothing. */
  duplicate?: true;
  replyTo?: RepliedMessage;
  /** A system message of the group; `event` says what happened. */
  notification: boolean;
  event?: ChatEvent;
  /** The last change since the message was sent; absent if there was none. */
  change?: MessageChange;
  /** In order of the earliest reaction with each emoji; absent if there are none. */
  reactions?: readonly Reaction[];
  /** The parts of the text that mean people, by `offset`; absent if there are none. */
  mentions?: readonly Mention[];
  /** The text means everybody in the group. */
  mentionsAll?: true;
  /** Present while the message is pinned. */
  pinned?: Pin;
  forwarded?: Forwarded;
  /** In the order in which they were sent; absent if there are none. */
  files?: readonly MessageFile[];
  createdAt: string;
  editedAt: string | null;
  deletedAt: string | null;
  /** Where the words are in `message`: [offset, length] in UTF-16 units, by ascending offset and without overlaps. */
  highlights: readonly (readonly [number, number])[];
}

export interface GetAdminAuditAnswer {
  data: readonly AuditRecord[];
  /** The `cursor` of the next page; `null` on the last page. */
  nextCursor: string | null;
}

export interface GetAdminAuditQuery {
  /** Only what this administrator has done. */
  actorId?: number;
  /** Only this action. */
  action?: string;
  /** Only what was done to objects of this kind. */
  targetType?: string;
  /** Only what was done to the object with this id. */
  targetId?: number;
  /** Maximum number of rows, 1 to 100. */
  limit?: number;
  /** The `nextCursor` of the previous page. */
  cursor?: string;
}

export interface GetAdminGroupsAnswer {
  data: readonly ManagedGroup[];
  /** The `cursor` of the next page; `null` on the last page. */
  nextCursor: string | null;
}

export interface GetAdminGroupsQuery {
  /** Any part of the name, case-insensitive. */
  search?: string;
  /** Maximum number of rows, 1 to 100. */
  limit?: number;
  /** The `nextCursor` of the previous page. */
  cursor?: string;
}

export interface GetAdminUsersAnswer {
  data: readonly ManagedUser[];
  /** The `cursor` of the next page; `null` on the last page. */
  nextCursor: string | null;
}

export interface GetAdminUsersQuery {
  /** Any part of the e-mail address or of the names, case-insensitive. */
  search?: string;
  role?: UserRole;
  status?: AccountStatus;
  /** Maximum number of rows, 1 to 100. */
  limit?: number;
  /** The `nextCursor` of the previous page. */
  cursor?: string;
}

export interface GetAuthSessionsAnswer {
  data: readonly ListedSession[];
}

export interface GetAvatarsIdPath {
  id: string;
}

export interface GetFilesIdPath {
  /** Id of a file, a UUID. */
  id: string;
}

export interface GetFilesIdQuery {
  /** 320 or 640: a WebP thumbnail that fits into a square of so many pixels. */
  size?: string;
  /** From `POST /files/links`. */
  link?: string;
}

export interface GetInvitesAnswer {
  data: readonly Invite[];
  /** The `cursor` of the next page; `null` on the last page. */
  nextCursor: string | null;
}

export interface GetInvitesInvitePath {
  /** The token of the invite. */
  invite: string;
}

export interface GetInvitesQuery {
  /** Maximum number of rows, 1 to 100. */
  limit?: number;
  /** The `nextCursor` of the previous page. */
  cursor?: string;
}

export interface GetMessagesParams {
  /** Id of a chat: a group, or the dialog of two users. */
  chatId: number;
  /** Return the messages directly before this `seq`. */
  before?: number;
  /** Return the messages directly after this `seq`; 0 for the first ones. */
  after?: number;
  /** Return the message with this `seq` and those on both sides of it. */
  around?: number;
  /** Maximum number of rows, 1 to 100. */
  limit: number;
}

export interface GetUsersAnswer {
  data: readonly Person[];
  /** The `cursor` of the next page; `null` on the last page. */
  nextCursor: string | null;
}

export interface GetUsersIdPath {
  /** Id of a user. */
  id: number;
}

export interface GetUsersMeBlocksAnswer {
  data: readonly Person[];
}

export interface GetUsersQuery {
  /** The beginning of a first name, a last name or both ("anna k"), case-insensitive, or a complete e-mail address. */
  search?: string;
  /**
   * Ids of users, 1 to 100, each of at most 15 digits, separated by commas: those who exist are returned, in this
   * order.
   */
  ids?: string;
  /** Maximum number of rows, 1 to 100. */
  limit?: number;
  /** The `nextCursor` of the previous page. */
  cursor?: string;
}

export interface GetlatestMessageDialogParams {
  /** Id of a user. */
  receiverId: number;
  /** Maximum number of rows, 1 to 100. */
  limit: number;
  /** Number of the page, from 1. A page after the last is an empty list. */
  page: number;
}

export interface GetlatestMessageGroupParams {
  /** Id of a group; the same number as its `chatId`. */
  groupId: number;
  /** Maximum number of rows, 1 to 100. */
  limit: number;
  /** Number of the page, from 1. A page after the last is an empty list. */
  page: number;
}

/** A member of a group. */
export interface GroupMember {
  /** Id of a user. */
  userId: number;
  /** First name, 1 to 64 UTF-16 units, with a visible character and without controls of the direction of text. */
  firstName: string;
  /** Last name, 1 to 64 UTF-16 units, with a visible character and without controls of the direction of text. */
  lastName: string | null;
  /** Id of an avatar: `GET /avatars/{id}` is the picture. Absent without one. */
  avatarId?: string;
  role: MemberRole;
  joinedAt: string;
}

/** A message of a group. */
export interface GroupMessageRow {
  /** Id of a user. */
  sender_id: number;
  /** First name of the sender. */
  senderName: string;
  /** Id of a group; the same number as its `chatId`. */
  group_id: number;
  created_at: string;
  content: string;
  /** Id of a message. */
  id: number;
  /** Position of a message in its chat: 1, 2, 3 and so on without gaps. */
  seq: number;
  /** Number of the chat's change that last wrote this message; without gaps in each chat. */
  version: number;
  notification: boolean;
  event?: ChatEvent;
  replyTo?: RepliedMessage;
  files?: readonly MessageFile[];
  editedAt: string | null;
  deletedAt: string | null;
  reactions?: readonly Reaction[];
  /** The parts of the text that mean people, by `offset`; absent if there are none. */
  mentions?: readonly Mention[];
  /** The text means everybody in the group. */
  mentionsAll?: true;
  forwarded?: Forwarded;
}

/** An invite to create an account. */
export interface Invite {
  /** Id of an invite. */
  id: number;
  /** The user who made it; `null` for one made on the command line. */
  createdBy: number | null;
  /** The only address that can register with it; `null` for any. */
  email: string | null;
  /** The groups that the new account joins. */
  groupIds: readonly number[];
  maxUses: number;
  /** How many accounts were created with it. */
  uses: number;
  expiresAt: string;
  revokedAt: string | null;
}

/** An invite as the person sees it who has its link. */
export interface InviteDescription {
  /** The name of the user who invites, or of the server. */
  invitedBy: string;
  /** The groups that the new account joins. */
  groupNames: readonly string[];
  /** The only address that can register with it. */
  email?: string;
}

/** Who can invite people: administrators, or all users. More values will be added. */
export type InviterGroup = "admins" | "members" | (string & {});

export interface LeaveGroupParams {
  /** Id of a group; the same number as its `chatId`. */
  groupId: number;
}

export interface ListGroupMembersParams {
  /** Id of a group; the same number as its `chatId`. */
  groupId: number;
  /** Maximum number of rows, 1 to 100. */
  limit: number;
  /** Number of the page, from 1. A page after the last is an empty list. */
  page: number;
}

export interface ListLastMessageParams {
  /** Maximum number of rows, 1 to 100. */
  limit: number;
  /** Number of the page, from 1. A page after the last is an empty list. */
  page: number;
}

export interface ListMentionsParams {
  /** Maximum number of rows, 1 to 100. */
  limit: number;
  /** The `cursor` of the answer before; without it you get the newest. */
  before?: number;
}

export interface ListPinnedParams {
  /** Id of a chat: a group, or the dialog of two users. */
  chatId: number;
  /** Maximum number of rows, 1 to 100. */
  limit: number;
  /** Number of the page, from 1. A page after the last is an empty list. */
  page: number;
}

export interface ListReactionsParams {
  /** Id of a message. */
  messageId: number;
  /** Maximum number of rows, 1 to 100. */
  limit: number;
  /** Number of the page, from 1. A page after the last is an empty list. */
  page: number;
}

export interface ListReadersParams {
  /** Id of a message. */
  messageId: number;
  /** Maximum number of rows, 1 to 100. */
  limit: number;
  /** Number of the page, from 1. A page after the last is an empty list. */
  page: number;
}

/** One of your sessions. */
export interface ListedSession {
  id: number;
  /** The User-Agent header of the log-in. */
  userAgent: string | null;
  createdAt: string;
  /** Accurate to one minute. */
  lastUsedAt: string;
  /** Whether this request was made in this session. */
  current: boolean;
}

/** A group as administrators see it. */
export interface ManagedGroup {
  /** Id of a group; the same number as its `chatId`. */
  id: number;
  /** Name of a group, 1 to 64 UTF-16 units, with a visible character and without controls of the direction of text. */
  name: string;
  /** Id of an avatar: `GET /avatars/{id}` is the picture. Absent without one. */
  avatarId?: string;
  /** Number of members. */
  members: number;
  /** Id of a user. */
  ownerId: number | null;
  createdAt: string;
  lastMessageAt: string | null;
}

/** An account as administrators see it. */
export interface ManagedUser {
  /** Id of a user. */
  id: number;
  /** E-mail address: one `@`, at most 254 characters, any domain. Upper and lower case are equal. */
  email: string;
  /** First name, 1 to 64 UTF-16 units, with a visible character and without controls of the direction of text. */
  firstName: string;
  /** Last name, 1 to 64 UTF-16 units, with a visible character and without controls of the direction of text. */
  lastName: string | null;
  /** Id of an avatar: `GET /avatars/{id}` is the picture. Absent without one. */
  avatarId?: string;
  role: UserRole;
  createdAt: string;
  /** When the last device disconnected; `null` if none ever connected. */
  lastSeenAt: string | null;
  /** `null` for an account that can log in. */
  suspendedAt: string | null;
  /** Number of active sessions. */
  sessions: number;
  /** Number of messages written and not deleted, counted up to 10,000. */
  messages: number;
}

export interface MarkReadParams {
  /** Id of a chat: a group, or the dialog of two users. */
  chatId: number;
  /** Position of a message in its chat: 1, 2, 3 and so on without gaps. */
  seq: number;
}

/** The role of a member in a group. */
export type MemberRole = "owner" | "admin" | "member";

/** A part of a text that means a person. */
export interface Mention {
  /** Id of a user. */
  userId: number;
  /** Where it begins in the text, in UTF-16 units. */
  offset: number;
  /** Its length, in UTF-16 units. */
  length: number;
}

/** Where the list of mentions goes on. */
export interface MentionsPage {
  /** `before` of the next request; `null` if there are no more. */
  cursor: number | null;
}

/** What was done to a message after it was sent. */
export interface MessageChange {
  kind: MessageChangeKind;
  /** The user who did it; `null` where that is not known. */
  by: number | null;
  /** Of a reaction; absent if all reactions of a deleted account were removed. */
  emoji?: string;
  /** Whether the reaction or the pin was added or removed. */
  on?: boolean;
}

/** What was done. More kinds will be added: apply the message all the same. */
export type MessageChangeKind = "edit" | "delete" | "reaction" | "pin" | (string & {});

/** A file of a message. `GET /files/{id}` reads it. */
export interface MessageFile {
  /** Id of a file, a UUID. */
  id: string;
  name: string;
  /** In bytes, as it is served. */
  size: number;
  /** Found by its content. Pictures, videos and sounds of a few types are shown by browsers, all others saved. */
  mediaType: string;
  /** Of a picture, in pixels. `null` where it is not known. */
  width: number | null;
  /** Of a picture, in pixels. `null` where it is not known. */
  height: number | null;
  /** A tiny preview of a picture (ThumbHash), in base64; `null` where there is none. */
  thumbHash: string | null;
}

export interface MessageInGroupParams {
  /** Id of a group; the same number as its `chatId`. */
  groupId: number;
  /** The text: 1 to 4,096 UTF-16 units, with a visible character; with `fileIds` it may be empty or blank. */
  content: string;
  /**
   * Chosen by the client, a new one for each message. Sending it again never stores the message twice. 8 to 64
   * printable ASCII characters.
   */
  clientMessageId?: string;
  /** Id of a message. */
  replyTo?: number;
  /** The files of the message, in this order, 1 to 10: uploaded completely, by you, and in no other message. */
  fileIds?: readonly string[];
  /**
   * The parts of the text that mean members of the chat, at most 50. They are inside the text, do not overlap, and
   * split no surrogate pair. Those of people who are not members are dropped.
   */
  mentions?: readonly Mention[];
  /** The text means everybody in the group. In groups of more than 20 only by admins and the owner. */
  mentionsAll?: true;
}

/** A message, as answers and pushes carry it. */
export interface MessageItem {
  /** Id of a chat: a group, or the dialog of two users. */
  chatId: number;
  /** Id of a message. */
  messageId: number;
  /** Position of a message in its chat: 1, 2, 3 and so on without gaps. */
  seq: number;
  /** Number of the chat's change that last wrote this message; without gaps in each chat. */
  version: number;
  /** Id of a user. */
  senderId: number;
  /** First name of the sender; `Deleted user` once the account is gone. */
  senderName: string;
  senderLastName: string | null;
  /** The recipient, in a dialog. */
  receiverId?: number;
  /** Id of a group; the same number as its `chatId`. */
  groupId?: number;
  /** Name of a group, 1 to 64 UTF-16 units, with a visible character and without controls of the direction of text. */
  groupName?: string;
  /** The text; empty once deleted. */
  message: string;
  /**
   * Chosen by the client, a new one for each message. Sending it again never stores the message twice. 8 to 64
   * printable ASCII characters.
   */
  clientMessageId?: string;
  /** The message was stored by an earlier request with this `clientMessageId`; this one stored nothing. */
  duplicate?: true;
  replyTo?: RepliedMessage;
  /** A system message of the group; `event` says what happened. */
  notification: boolean;
  event?: ChatEvent;
  /** The last change since the message was sent; absent if there was none. */
  change?: MessageChange;
  /** In order of the earliest reaction with each emoji; absent if there are none. */
  reactions?: readonly Reaction[];
  /** The parts of the text that mean people, by `offset`; absent if there are none. */
  mentions?: readonly Mention[];
  /** The text means everybody in the group. */
  mentionsAll?: true;
  /** Present while the message is pinned. */
  pinned?: Pin;
  forwarded?: Forwarded;
  /** In the order in which they were sent; absent if there are none. */
  files?: readonly MessageFile[];
  createdAt: string;
  editedAt: string | null;
  deletedAt: string | null;
}

/** What an answer says about its page of messages. */
export interface MessagePage {
  /** Whether there are more messages in that direction; with `around`, in either direction. */
  hasMore: boolean;
}

export interface NewGroupParams {
  /** Name of a group, 1 to 64 UTF-16 units, with a visible character and without controls of the direction of text. */
  groupName: string;
  /**
   * Chosen by the client, a new one for each message. Sending it again never stores the message twice. 8 to 64
   * printable ASCII characters.
   */
  clientMessageId?: string;
}

export interface PatchAdminUsersIdBody {
  role?: UserRole;
  suspended?: boolean;
  /** First name, 1 to 64 UTF-16 units, with a visible character and without controls of the direction of text. */
  firstName?: string;
  /** Last name, 1 to 64 UTF-16 units, with a visible character and without controls of the direction of text. */
  lastName?: string | null;
  /** E-mail address: one `@`, at most 254 characters, any domain. Upper and lower case are equal. */
  email?: string;
}

export interface PatchAdminUsersIdPath {
  /** Id of a user. */
  id: number;
}

export interface PatchUsersMeBody {
  /** First name, 1 to 64 UTF-16 units, with a visible character and without controls of the direction of text. */
  firstName?: string;
  /** Last name, 1 to 64 UTF-16 units, with a visible character and without controls of the direction of text. */
  lastName?: string | null;
  /** E-mail address: one `@`, at most 254 characters, any domain. Upper and lower case are equal. */
  email?: string;
  /** The current password. */
  password?: string;
}

/** A user as other users see it. */
export interface Person {
  /** Id of a user. */
  id: number;
  /** First name, 1 to 64 UTF-16 units, with a visible character and without controls of the direction of text. */
  firstName: string;
  /** Last name, 1 to 64 UTF-16 units, with a visible character and without controls of the direction of text. */
  lastName: string | null;
  /** Id of an avatar: `GET /avatars/{id}` is the picture. Absent without one. */
  avatarId?: string;
}

export interface Pin {
  /** The user who pinned it. */
  by: number;
  at: string;
}

export interface PinMessageParams {
  /** Id of a message. */
  messageId: number;
  /** Whether you want it to be pinned. */
  on: boolean;
}

export type PingParams = Record<never, never>;

/** The answer to a `ping`. */
export interface Pong {
  /** The time of the server's clock. */
  serverTime: string;
}

export interface PostAdminUsersAnswer {
  user: ManagedUser;
  /** A link that works once, with which the user chooses a password. A path alone if the server has no `PUBLIC_URL`. */
  url: string;
  /** When the link stops working. */
  expiresAt: string;
}

export interface PostAdminUsersBody {
  /** E-mail address: one `@`, at most 254 characters, any domain. Upper and lower case are equal. */
  email: string;
  /** First name, 1 to 64 UTF-16 units, with a visible character and without controls of the direction of text. */
  firstName: string;
  /** Last name, 1 to 64 UTF-16 units, with a visible character and without controls of the direction of text. */
  lastName?: string;
  role?: UserRole;
}

export interface PostAdminUsersIdResetPasswordAnswer {
  /** A link that works once, with which the user chooses a password. A path alone if the server has no `PUBLIC_URL`. */
  url: string;
  /** When the link stops working. */
  expiresAt: string;
}

export interface PostAdminUsersIdResetPasswordPath {
  /** Id of a user. */
  id: number;
}

export interface PostAuthEmailVerifyBody {
  /** The part of the link behind `#`. */
  token: string;
}

export interface PostAuthLoginBody {
  /** E-mail address: one `@`, at most 254 characters, any domain. Upper and lower case are equal. */
  email: string;
  /** The current password. */
  password: string;
}

export interface PostAuthPasswordForgotBody {
  /** E-mail address: one `@`, at most 254 characters, any domain. Upper and lower case are equal. */
  email: string;
}

export interface PostAuthPasswordResetBody {
  /** What follows `#` in the link. */
  token: string;
  /** At least 8 characters, at most 72 bytes, and not one of the well-known passwords. */
  newPassword: string;
}

export interface PostAuthRefreshBody {
  /** The latest refresh token of the session. */
  refreshToken: string;
}

export interface PostAuthRegisterBody {
  /** E-mail address: one `@`, at most 254 characters, any domain. Upper and lower case are equal. */
  email: string;
  /** At least 8 characters, at most 72 bytes, and not one of the well-known passwords. */
  password: string;
  /** First name, 1 to 64 UTF-16 units, with a visible character and without controls of the direction of text. */
  firstName: string;
  /** Last name, 1 to 64 UTF-16 units, with a visible character and without controls of the direction of text. */
  lastName?: string;
  /** The token of an invite, from its link. */
  invite?: string;
}

export interface PostAuthSetupBody {
  /** What follows `#` in the link. */
  token: string;
  /** E-mail address: one `@`, at most 254 characters, any domain. Upper and lower case are equal. */
  email: string;
  /** At least 8 characters, at most 72 bytes, and not one of the well-known passwords. */
  password: string;
  /** First name, 1 to 64 UTF-16 units, with a visible character and without controls of the direction of text. */
  firstName: string;
  /** Last name, 1 to 64 UTF-16 units, with a visible character and without controls of the direction of text. */
  lastName?: string;
}

export interface PostFilesAnswer {
  /** Id of a file, a UUID. */
  fileId: string;
  /** The path for the content. It needs the token of the same user. */
  uploadUrl: string;
  expiresAt: string;
}

export interface PostFilesBody {
  /** Its name. Folders and control characters are removed from it. */
  name: string;
  /** Its size in bytes. */
  size: number;
  /** Its type as the client knows it. The server finds it out itself. */
  mediaType?: string;
}

export interface PostFilesLinksAnswer {
  data: readonly FileLink[];
}

export interface PostFilesLinksBody {
  ids: readonly string[];
}

export interface PostInvitesAnswer {
  /** Id of an invite. */
  id: number;
  /** The user who made it; `null` for one made on the command line. */
  createdBy: number | null;
  /** The only address that can register with it; `null` for any. */
  email: string | null;
  /** The groups that the new account joins. */
  groupIds: readonly number[];
  maxUses: number;
  /** How many accounts were created with it. */
  uses: number;
  expiresAt: string;
  revokedAt: string | null;
  /** For `invite` of `POST /auth/register`. */
  token: string;
  /** The link for the person who is invited; the path alone without `PUBLIC_URL`. */
  url: string;
}

export interface PostInvitesBody {
  /** The only address that can register with the invite. */
  email?: string;
  /** Groups that the new account joins; you must be a member of each. At most 20. */
  groupIds?: readonly number[];
  /** How many accounts can be created with the invite; 1 by default. */
  maxUses?: number;
  /** Hours until the invite expires; 168, a week, by default. */
  expiresInHours?: number;
}

/** Whether a user is online. */
export interface Presence {
  /** Id of a user. */
  userId: number;
  online: boolean;
  /** When the last device disconnected; `null` while online and for people you may not see. */
  lastSeenAt: string | null;
}

export interface PrivateMessageParams {
  /** Id of a user. */
  receiverId: number;
  /** The text: 1 to 4,096 UTF-16 units, with a visible character; with `fileIds` it may be empty or blank. */
  content: string;
  /**
   * Chosen by the client, a new one for each message. Sending it again never stores the message twice. 8 to 64
   * printable ASCII characters.
   */
  clientMessageId?: string;
  /** Id of a message. */
  replyTo?: number;
  /** The files of the message, in this order, 1 to 10: uploaded completely, by you, and in no other message. */
  fileIds?: readonly string[];
  /**
   * The parts of the text that mean members of the chat, at most 50. They are inside the text, do not overlap, and
   * split no surrogate pair. Those of people who are not members are dropped.
   */
  mentions?: readonly Mention[];
  /** The text means everybody in the group. In groups of more than 20 only by admins and the owner. */
  mentionsAll?: true;
}

/** An error on HTTP (RFC 9457). */
export interface Problem {
  type: "about:blank";
  /** The status in words. */
  title: string;
  status: number;
  /** What is wrong and what to do, for people. */
  detail: string;
  code: ErrorCode;
  /** With `VALIDATION`: the invalid field, such as `body.email`. */
  field?: string;
  /** Quote it when you report an error; the server's log contains it. */
  requestId: string;
  /** How long to wait before trying again, in milliseconds. */
  retryAfterMs?: number;
}

/** Your own account. */
export interface Profile {
  /** Id of a user. */
  id: number;
  /** E-mail address: one `@`, at most 254 characters, any domain. Upper and lower case are equal. */
  email: string;
  /** The address that you still have to confirm: a new one, which then becomes `email`, or that of the account. */
  pendingEmail: string | null;
  role: UserRole;
  /** First name, 1 to 64 UTF-16 units, with a visible character and without controls of the direction of text. */
  firstName: string;
  /** Last name, 1 to 64 UTF-16 units, with a visible character and without controls of the direction of text. */
  lastName: string | null;
  /** Id of an avatar: `GET /avatars/{id}` is the picture. Absent without one. */
  avatarId?: string;
  createdAt: string;
}

/** The present name and avatar of a user. */
export interface ProfileChange {
  /** Id of a user. */
  userId: number;
  firstName: string;
  /** Last name, 1 to 64 UTF-16 units, with a visible character and without controls of the direction of text. */
  lastName: string | null;
  /** Id of an avatar: `GET /avatars/{id}` is the picture. Absent without one. */
  avatarId?: string;
}

export interface PutAdminGroupsIdOwnerBody {
  /** Id of a member of the group. */
  userId: number;
}

export interface PutAdminGroupsIdOwnerPath {
  /** Id of a group; the same number as its `chatId`. */
  id: number;
}

export interface PutFilesIdContentAnswer {
  file: MessageFile;
}

export interface PutFilesIdContentPath {
  /** Id of a file, a UUID. */
  id: string;
}

export interface PutGroupsIdAvatarAnswer {
  /** Id of an avatar: `GET /avatars/{id}` is the picture. Absent without one. */
  avatarId: string;
}

export interface PutGroupsIdAvatarPath {
  /** Id of a group; the same number as its `chatId`. */
  id: number;
}

export interface PutUsersMeAvatarAnswer {
  /** Id of an avatar: `GET /avatars/{id}` is the picture. Absent without one. */
  avatarId: string;
}

export interface PutUsersMeBlocksUserIdPath {
  /** Id of a user. */
  userId: number;
}

export interface PutUsersMePasswordBody {
  /** The current password. */
  oldPassword: string;
  /** At least 8 characters, at most 72 bytes, and not one of the well-known passwords. */
  newPassword: string;
}

export interface ReactParams {
  /** Id of a message. */
  messageId: number;
  /** One emoji as Unicode recommends it for interchange (RGI): 1 to 32 UTF-16 units; ❤ needs U+FE0F. */
  emoji: string;
  /** Whether you want to react with this emoji. */
  on: boolean;
}

/** The people who react to a message with one emoji. */
export interface Reaction {
  emoji: string;
  /** The number of people. */
  count: number;
  /** The first 20 of them, the earliest first. */
  userIds: readonly number[];
  /**
   * You are one of them. Only in answers to requests that read messages; never in pushes and in answers to changes,
   * which are the same for everybody.
   */
  mine?: true;
}

/** A reaction of one person to a message. */
export interface ReactionRow {
  /** Id of a user. */
  userId: number;
  /** First name, 1 to 64 UTF-16 units, with a visible character and without controls of the direction of text. */
  firstName: string;
  /** Last name, 1 to 64 UTF-16 units, with a visible character and without controls of the direction of text. */
  lastName: string | null;
  emoji: string;
  createdAt: string;
}

/** Up to where a user has read a chat. */
export interface ReadPosition {
  /** Id of a chat: a group, or the dialog of two users. */
  chatId: number;
  /** Id of a user. */
  userId: number;
  readSeq: number;
}

/** A member of a chat who has read up to a message. */
export interface Reader {
  /** Id of a user. */
  userId: number;
  /** First name, 1 to 64 UTF-16 units, with a visible character and without controls of the direction of text. */
  firstName: string;
  /** Last name, 1 to 64 UTF-16 units, with a visible character and without controls of the direction of text. */
  lastName: string | null;
  /** The `seq` up to which the member has read the chat. */
  readSeq: number;
}

/**
 * Who can register: everybody, people with an invite, or nobody. A valid invite works in each case. More values will be
 * added.
 */
export type RegistrationPolicy = "open" | "invite" | "closed" | (string & {});

export interface RemoveUserFromGroupParams {
  /** Id of a group; the same number as its `chatId`. */
  groupId: number;
  /** Id of a user. */
  userId: number;
}

export interface RenameGroupParams {
  /** Id of a group; the same number as its `chatId`. */
  groupId: number;
  /** Name of a group, 1 to 64 UTF-16 units, with a visible character and without controls of the direction of text. */
  groupName: string;
}

/** The message that another one replies to, as it is now. */
export interface RepliedMessage {
  /** Id of a message. */
  messageId: number;
  /** Its position in the chat. */
  seq?: number;
  /** Id of a user. */
  senderId: number;
  senderName: string;
  /** The beginning of its text; empty once deleted. */
  preview: string;
  deletedAt: string | null;
}

/** Chosen by the client and returned in the answer: 1 to 64 characters, or an integer. */
export type RequestId = string | number;

export interface SearchMessagesParams {
  /** The words, 1 to 200 UTF-16 units. */
  query: string;
  /** Search this chat only. */
  chatId?: number;
  /** Find only messages of this user. */
  senderId?: number;
  /** Find only messages sent before this time. */
  before?: string;
  /** Find only messages sent after this time. */
  after?: string;
  /** Maximum number of messages, 1 to 50. */
  limit: number;
  /** The `cursor` of the previous answer, with otherwise equal params. */
  cursor?: string;
}

/** What an answer says about its page of found messages. */
export interface SearchResult {
  /** Where the next page begins; `null` on the last page. A page may have fewer messages than `limit`. */
  cursor: string | null;
  /**
   * The latest changes of a searched chat are not indexed yet, usually for less than two seconds: what was sent or
   * edited last may not be found.
   */
  behind: boolean;
}

/** What the server says about itself. */
export interface ServerInfo {
  /** The name of the server, for people. */
  name: string;
  version: string;
  /** Identifies the history of the data; another one means that the data was restored. */
  epoch: string;
  registration: RegistrationPolicy;
  invitesBy: InviterGroup;
  /** Whether the server sends e-mail. */
  email: boolean;
  /** The optional parts that this server has. */
  features: readonly string[];
  limits: ServerLimits;
}

/** The limits of this server. */
export interface ServerLimits {
  /** Length of a message, in UTF-16 units. */
  contentUnits: number;
  /** Size of a WebSocket frame of a client, in bytes. */
  frameBytes: number;
  /** Unanswered requests of one socket; the server does not read further ones. */
  requestsInFlight: number;
  /** Members of a group. */
  groupMembers: number;
  /** WebSockets of one user; one more closes the oldest. */
  socketsPerUser: number;
  /** Size of a file, in bytes. */
  fileBytes: number;
  /** Files of a message. */
  filesPerMessage: number;
}

/** The answer to a registration, a log-in and a refresh. */
export interface Session {
  user: Profile;
  /** JWT for `Authorization: Bearer` and for the WebSocket. */
  token: string;
  /** When the token expires. */
  expiresAt: string;
  /** Renews the session; keep it as safe as a password. */
  refreshToken: string;
}

export interface SetMemberRoleParams {
  /** Id of a group; the same number as its `chatId`. */
  groupId: number;
  /** Id of a user. */
  userId: number;
  role: AssignableRole;
}

export interface SetStateParams {
  /** `chat:ID`, `draft:ID` (with the id of a chat) or `preferences`. */
  key: string;
  /**
   * `ChatSettings` under `chat:ID`, `Draft` under `draft:ID`, any JSON under `preferences`; `null` removes the key. At
   * most 8 KiB of UTF-8 JSON, a draft 16 KiB.
   */
  value: ChatSettings | Draft | unknown;
}

/** The end of a socket's session. */
export interface SocketExpiry {
  /** When this socket will be closed unless it is renewed again. */
  expiresAt: string;
}

/** A key of your personal state, and its value. */
export interface StateChange {
  /**
   * Number of this change among all changes of your state: 1, 2, 3 and so on. If nothing was stored, that of the key's
   * last change, or 0.
   */
  stateVersion: number;
  /** `chat:ID`, `draft:ID` (with the id of a chat) or `preferences`. */
  key: string;
  /**
   * `ChatSettings` under `chat:ID`, `Draft` under `draft:ID`, any JSON under `preferences`; `null` removes the key. At
   * most 8 KiB of UTF-8 JSON, a draft 16 KiB.
   */
  value: ChatSettings | Draft | unknown;
}

/** What differs in your personal state from the version you sent. */
export interface StateDifference {
  /** The `stateVersion` you have after applying this. */
  version: number;
  /** The keys that have changed, as [key, value], in the order of their changes; `null` for a removed key. */
  entries: readonly (readonly [unknown, unknown])[];
  /** You know another history, or missed removals too long ago: forget all keys first. */
  reset?: true;
}

/** How much the server is used. */
export interface Statistics {
  /** Number of accounts. */
  users: number;
  active: ActiveAccounts;
  /** Open sockets on all processes. */
  sockets: number;
  /** Groups, and dialogs with a message. */
  chats: number;
  /** Messages written in these chats, system messages included. */
  messages: number;
  /** Messages written on each of the last 30 days, in UTC; today is the last one. */
  messagesPerDay: readonly number[];
  databaseBytes: number;
  /** The uploaded files, without thumbnails. */
  fileBytes: number;
}

/** A chat that differs from the state you sent. */
export interface SyncChat {
  /** Id of a chat: a group, or the dialog of two users. */
  chatId: number;
  kind: ChatKind;
  /** Id of a group; the same number as its `chatId`. */
  groupId?: number;
  /** Name of a group, 1 to 64 UTF-16 units, with a visible character and without controls of the direction of text. */
  groupName?: string;
  /** Your role, in a group. */
  role?: MemberRole;
  /** The number of members, in a group. */
  memberCount?: number;
  /** The other person, in a dialog. */
  userId?: number;
  /** First name of the other person, in a dialog. */
  userName?: string;
  userLastName?: string | null;
  /** Id of the avatar of the group, or of the other person; absent without one. */
  avatarId?: string;
  /** The version you have after applying this entry. */
  version: number;
  lastSeq: number;
  readSeq: number;
  /** The number of messages after `readSeq`. */
  unread: number;
  /** How many of them mention you, or everybody; at most 99. */
  mentions: number;
  /** Messages up to this `seq` are hidden from you. */
  clearedSeq: number;
  /** The read position of the other person, in a dialog. Absent while one of you blocks the other. */
  peerReadSeq?: number;
  /**
   * Changed messages in the order of `version`. Each replaces the message you have with the same `seq`, and the preview
   * of it in replies. May contain changes of messages up to `clearedSeq`, for those previews.
   */
  messages: readonly MessageItem[];
  /** This chat was not in your request. */
  joined?: true;
  /**
   * Too many changes, or more messages than `newest`: discard this chat's stored messages. `messages` holds its newest
   * ones.
   */
  tooLong?: true;
  /** The server's data was restored: discard this chat's stored messages. `messages` holds its newest ones. */
  reset?: true;
}

export interface SyncParams {
  /** One entry per chat you have: [chatId, version, readSeq, clearedSeq, peerReadSeq]. The last two are optional. */
  chats: readonly (readonly [number, number, number, number?, number?])[];
  /** Compare only chats whose id is between these two, inclusive. */
  range?: readonly [number, number];
  /** The `epoch` of the answer in which you received what you know of these chats. */
  epoch?: string;
  /**
   * How many of the newest messages you want of each chat that you did not list, that changed too much, or that is
   * reset. By default 50, and all up to 500 of a chat that you did not list.
   */
  newest?: number;
  /** The version of the personal state that you have, or 0. Without it, you get no `state`. */
  stateVersion?: number;
}

/** What differs from the state you sent. */
export interface SyncResult {
  /** Chats that differ from your state, by ascending `chatId`. */
  chats: readonly SyncChat[];
  /** Chats in your request that you are no longer a member of. */
  left: readonly number[];
  state?: StateDifference;
  hasMore: boolean;
  /**
   * Identifies the history of the server's data. If it is another one than you know, the data was restored: forget all
   * versions and messages, but not what you have to send.
   */
  epoch: string;
  /** Your own id. */
  userId: number;
  serverTime: string;
}

export interface TransferOwnershipParams {
  /** Id of a group; the same number as its `chatId`. */
  groupId: number;
  /** Id of a user. */
  userId: number;
}

export interface TypingParams {
  /** Id of a chat: a group, or the dialog of two users. */
  chatId: number;
}

/** A user is typing in a chat. */
export interface TypingSignal {
  /** Id of a chat: a group, or the dialog of two users. */
  chatId: number;
  /** Id of a user. */
  userId: number;
  /** How long to show the indicator, in milliseconds. */
  ttlMs: number;
}

/** Administrators manage the server, under `/admin`. */
export type UserRole = "user" | "admin";

export interface WatchPresenceParams {
  /** The people to watch from now on. */
  userIds?: readonly number[];
  /** People to watch as well. */
  add?: readonly number[];
  /** People not to watch any more. */
  remove?: readonly number[];
}
