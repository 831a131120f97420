import { nothing, time } from "../../../contract/fields.ts";
import { described, named, object } from "../../../contract/schema.ts";
import { defineMessage } from "../../message-type.ts";

export const ping = defineMessage({
  type: "ping",
  summary:
    "Check that the socket still works, where the program cannot see the pings of the protocol: pages in a browser. One request in ten seconds counts against no rate limit.",
  params: object({}),
  data: nothing(),
  item: named(
    "Pong",
    object({ serverTime: described(time(), "The time of the server's clock.") }),
    "The answer to a `ping`.",
  ),
  uncountedEveryMs: 10_000,
  readOnly: true,
  errors: [],
  example: { params: {}, data: null, item: { serverTime: "2023-07-28T13:20:10.114Z" } },
  async handle() {
    return { data: null, item: { serverTime: new Date().toISOString() } };
  },
});
