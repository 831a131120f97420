import type { IncomingMessage } from "node:http";
import { isIP, SocketAddress } from "node:net";

/** An address as it is logged: of IPv4 clients of a socket that listens on IPv6 too, the IPv4 address. */
export const plainAddress = (address: string): string => address.replace(/^::ffff:(?=\d+\.)/i, "");

/** `address:port` of IPv4, and `[address]` of IPv6 with or without a port. */
const withPort = /^(\d+\.\d+\.\d+\.\d+):\d+$|^\[([^\]]+)\](?::\d+)?$/;

/**
 * Returns the address in an entry of `X-Forwarded-For` in its canonical spelling, without the port that some proxies add;
 * undefined if there is none.
 */
function parseEntry(entry: string): string | undefined {
  const text = entry.trim().replace(/^"(.*)"$/, "$1");
  const [, v4, v6] = withPort.exec(text) ?? [];
  const address = (v4 ?? v6 ?? text).replace(/%.*$/, "");
  const version = isIP(address);
  if (version === 0) return undefined;
  return new SocketAddress({ address, family: version === 6 ? "ipv6" : "ipv4" }).address;
}

/**
 * The client's address: the one seen by the outermost trusted proxy, or the peer address if there is no proxy. Addresses
 * that the client itself put into the header come before that and are ignored. If that proxy wrote no address, it is the
 * address of the nearest proxy before it that did: never a text that a client can choose.
 */
export function clientAddress({ headers, socket }: IncomingMessage, trustedProxyHops: number): string {
  const forwardedFor = [headers["x-forwarded-for"] ?? []].flat().flatMap((list) => list.split(","));
  const forwarded = forwardedFor.filter((entry) => entry.trim() !== "").reverse();
  const peer = socket.remoteAddress ?? "";
  for (const entry of forwarded.slice(0, trustedProxyHops).reverse()) {
    const address = parseEntry(entry);
    if (address !== undefined) return address;
  }
  return peer;
}
