import { topic } from "../../bus/topic.ts";
import { id } from "../../contract/fields.ts";
import { flag, type Infer, idList, integers, object, text } from "../../contract/schema.ts";

const presenceMessage = object({ process: text({ max: 64 }), whole: flag(), here: idList(), gone: idList() });

/**
 * The users connected to a process. With `whole`, `here` lists all of them and `gone` is empty; otherwise `here` lists
 * users who have just connected, and `gone` users who have just disconnected.
 */
export type PresenceMessage = Infer<typeof presenceMessage>;
export const presenceTopic = topic("presence", presenceMessage);

/** Two users, one of whom has just blocked or unblocked the other. */
export const blockTopic = topic("block", integers([id(), id()], { optional: 0 }));
