import { Block } from "./block.ts";
import { Chat } from "./chat.ts";
import { ChatMember } from "./chat-member.ts";
import { Message } from "./message.ts";
import { Session } from "./session.ts";
import { User } from "./user.ts";

export { Block, Chat, ChatMember, Message, Session, User };

/** Every model, for the connection to register. */
export const models = [User, Session, Block, Chat, ChatMember, Message];
