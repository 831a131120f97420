import type { IncomingMessage } from "node:http";
import { describe, expect, test } from "@jest/globals";
import { clientAddress } from "../src/services/limits/client-address.ts";

const peer = "10.0.0.1";

const addressOf = (forwardedFor: string | undefined, hops = 1): string =>
  clientAddress(
    { headers: { "x-forwarded-for": forwardedFor }, socket: { remoteAddress: peer } } as never as IncomingMessage,
    hops,
  );

describe("the address of a client behind one proxy", () => {
  test.each([
    ["203.0.113.7", "203.0.113.7"],
    ["203.0.113.7:51234", "203.0.113.7"],
    ["2001:db8::7", "2001:db8::7"],
    ["2001:0DB8:0:0:0:0:0:7", "2001:db8::7"],
    ["[2001:db8::7]", "2001:db8::7"],
    ["[2001:db8::7]:51234", "2001:db8::7"],
    ['"[2001:db8::7]:51234"', "2001:db8::7"],
    ["fe80::7%eth0", "fe80::7"],
    ["::ffff:203.0.113.7", "::ffff:203.0.113.7"],
    ["::ffff:cb00:7107", "::ffff:203.0.113.7"],
    ["198.51.100.9, 203.0.113.7:1", "203.0.113.7"],
    [" 203.0.113.7 ", "203.0.113.7"],
  ])("that forwards %s is %s", (forwardedFor, address) => {
    expect(addressOf(forwardedFor)).toBe(address);
  });

  test.each(["unknown", "_hidden", "203.0.113.7:x", "[2001:db8::7", "2001:db8::7]:1", "1.2.3", "<script>", "", ","])(
    "that forwards %j, which is no address, is that of the proxy",
    (forwardedFor) => {
      expect(addressOf(forwardedFor)).toBe(peer);
    },
  );

  test("that forwards nothing is that of the proxy", () => {
    expect(addressOf(undefined)).toBe(peer);
  });
});

describe("the address of a client", () => {
  test("without trusted proxies is the peer's, whatever the client writes", () => {
    expect(addressOf("203.0.113.7", 0)).toBe(peer);
  });

  test("behind two proxies is what the outer one forwards, or the address of the outer one if that is none", () => {
    expect(addressOf("198.51.100.9, 203.0.113.7:1, 10.0.0.2:2", 2)).toBe("203.0.113.7");
    expect(addressOf("198.51.100.9, unknown, 10.0.0.2:2", 2)).toBe("10.0.0.2");
  });
});
