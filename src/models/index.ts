import { Chat } from "./chat.ts";
import { ChatMember } from "./chat-member.ts";
import { Message } from "./message.ts";
import { Session } from "./session.ts";
import { User } from "./user.ts";

export { Chat, ChatMember, Message, Session, User };

/** Every model, for the connection to register. */
export const models = [User, Session, Chat, ChatMember, Message];
