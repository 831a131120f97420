import { expect, test } from "@jest/globals";
import { closeCodeTable } from "../../../src/contract/close-codes.ts";
import type { ErrorCode as ServerErrorCode } from "../../../src/contract/error-codes.ts";
import type * as frames from "../../../src/contract/frames.ts";
import type { MessageItem as ServerItem } from "../../../src/contract/messages.ts";
import type { Session as ServerSession } from "../../../src/contract/people.ts";
import type { Problem as ServerProblem } from "../../../src/contract/problem.ts";
import type { Infer } from "../../../src/contract/schema.ts";
import type { messageTypes } from "../../../src/ws/registry.ts";
import {
  type AnswerFrame,
  closeCodes,
  type ErrorCode,
  type ErrorFrame,
  type HttpRoutes,
  type MessageItem,
  type Problem,
  type PushFrame,
  type Requests,
} from "../src/protocol.ts";

/* Most of this is checked by the compiler: what the server sends is assignable to what the client reads, and vice versa. */

type Server = typeof messageTypes;
type ParamsOf<Type extends keyof Server> = Infer<Server[Type]["params"]>;
type AnswerOf<Type extends keyof Server> = frames.AnswerFrame<Infer<Server[Type]["data"]>, Infer<Server[Type]["item"]>>;

const assignable = <To>(_from: To): void => {};

test("the types of the client fit those of the server", () => {
  const server = <T>(): T => undefined as T;
  assignable<MessageItem>(server<ServerItem>());
  assignable<Problem>(server<ServerProblem>());
  assignable<HttpRoutes["POST /auth/login"]["answer"]>(server<ServerSession>());
  assignable<ErrorFrame>(server<frames.ErrorFrame>());
  assignable<ErrorCode>(server<ServerErrorCode>());
  assignable<ServerErrorCode>(server<ErrorCode>());
  assignable<keyof Requests>(server<keyof Server>());
  assignable<keyof Server>(server<keyof Requests>());
  assignable<AnswerFrame<"privateMessage">>(server<AnswerOf<"privateMessage"> & { type: "privateMessage" }>());
  assignable<AnswerFrame<"sync">>(server<AnswerOf<"sync"> & { type: "sync" }>());
  assignable<AnswerFrame<"getMessages">>(server<AnswerOf<"getMessages"> & { type: "getMessages" }>());
  assignable<PushFrame<"privateMessage">>(server<frames.PushFrame<ServerItem> & { type: "privateMessage" }>());
  assignable<ParamsOf<"privateMessage">>(server<Requests["privateMessage"]["params"]>());
  assignable<ParamsOf<"editMessage">>(server<Requests["editMessage"]["params"]>());
});

test("kinds of events that a newer server sends are known to the compiler as text", () => {
  const event: NonNullable<MessageItem["event"]> = { kind: "pollOpened", byUserId: 1 };
  expect(event.kind).toBe("pollOpened");
});

test("the close codes are those of the server", () => {
  const withoutDescriptions = Object.entries(closeCodeTable).map(([name, { description: _, ...rest }]) => [name, rest]);
  expect(closeCodes).toEqual(Object.fromEntries(withoutDescriptions));
});
