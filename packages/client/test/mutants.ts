/* Deliberate faults of the client SDK, each of which its tests must detect: `npm run client:mutants`. */

/** A deliberate fault in a copy of the client. */
export interface Mutant {
  name: string;
  /** Where the copy is changed: the only occurrence of `from` in a file of `src`. */
  edits: readonly { in: string; from: string; to: string }[];
}

export const mutants: readonly Mutant[] = [
  {
    name: "makes an id for each attempt",
    edits: [
      {
        in: "outbox.ts",
        from: "const params = {\n      ...message,",
        to: "const params = {\n      ...message,\n      clientMessageId: uuid(),",
      },
    ],
  },
  {
    name: "acknowledges a message without storing it",
    edits: [
      {
        in: "outbox.ts",
        from: "await this.options.store.set(prefix + entry.key, entry.content as unknown as Json);",
        to: "",
      },
    ],
  },
  {
    name: "applies a push whatever version is missing before it",
    edits: [
      { in: "replica.ts", from: "if (!chat || version > chat.version + 1)", to: "if (!chat)" },
      { in: "replica.ts", from: "else if (version === chat.version + 1)", to: "else if (version > chat.version)" },
    ],
  },
  {
    name: "forgets own reactions that a push does not name",
    edits: [{ in: "history.ts", from: " || known?.some((one) => one.mine && one.emoji === emoji)", to: "" }],
  },
  {
    name: "applies a change of personal state whatever is missing before it",
    edits: [
      {
        in: "personal-state.ts",
        from: "if (stateVersion > this.version + 1) this.events.onGap();\n    else if",
        to: "if",
      },
    ],
  },
  {
    name: "sends settings as they were when they were changed offline",
    edits: [
      {
        in: "account.ts",
        from: "patched(this.replica.state.keys.get(key), patch)",
        to: "patched(undefined, patch)",
      },
    ],
  },
  {
    name: "does not ask for the number of mentions where it does not keep the messages",
    edits: [{ in: "replica.ts", from: "      this.events.onGap(chat.chatId);\n    }\n  }\n", to: "    }\n  }\n" }],
  },
  {
    name: "applies pushes before the first sync answer",
    edits: [{ in: "replica.ts", from: "if (!this.acceptsPushes || ", to: "if (" }],
  },
  {
    name: "refreshes tokens without the lock",
    edits: [
      {
        in: "session.ts",
        from: "this.renewing ??= this.options.store\n      .lock(key, () => this.renewLocked())",
        to: "this.renewing ??= this.renewLocked()",
      },
    ],
  },
  {
    name: "does not update the previews of replies",
    edits: [
      {
        in: "history.ts",
        from: "if (reply.replyTo?.messageId === original.messageId)",
        to: "if (false)",
      },
    ],
  },
  {
    name: "removes a message from the outbox before the answer",
    edits: [
      {
        in: "outbox.ts",
        from: "const item = await this.sendOnce(",
        to: "void this.options.store.delete(prefix + entry.key);\n        const item = await this.sendOnce(",
      },
    ],
  },
];
