/**
 * The SQL condition that two users share a chat with messages; both are SQL expressions of ids. An empty dialog counts as no
 * chat. Indexes: the primary keys of chat_members and chats.
 */
export const shareChat = (a: string, b: string): string =>
  `EXISTS (SELECT FROM chat_members AS mine
                JOIN chat_members AS theirs ON theirs.chat_id = mine.chat_id AND theirs.user_id = ${b}
                JOIN chats ON chats.id = mine.chat_id AND chats.version > 0
               WHERE mine.user_id = ${a})`;
