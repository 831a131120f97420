import { createHmac, generateKeyPairSync, sign } from "node:crypto";
import { connect } from "node:net";
import { describe, expect, test } from "@jest/globals";
import jwt from "jsonwebtoken";
import { type TestUser, useMessenger } from "./support/messenger.ts";

/* Every token that is no access token of the server is rejected with the same error, over HTTP and on the upgrade. */

const secret = "only-these-tests-sign-with-this-0123456789";
const messenger = useMessenger({ RATE_LIMITS: "off", JWT_SECRET: secret });

type Claims = Record<string, unknown> & { id: number; sub: string; sid: number };

/** The input of a forgery: a valid token, and the claims of another user. */
interface Scene {
  token: string;
  claims: Claims;
  othersClaims: Claims;
}

const part = (value: object | string): string =>
  Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");

/** A token of these parts with a valid HMAC. */
function signed(header: object, claims: object | string, options: { hash?: string; key?: string } = {}): string {
  const { hash = "sha256", key = secret } = options;
  const body = `${part(header)}.${part(claims)}`;
  return `${body}.${createHmac(hash, key).update(body).digest("base64url")}`;
}

const proper = { alg: "HS256", typ: "JWT" };
const now = () => Math.floor(Date.now() / 1000);
const without = (claims: Claims, ...names: string[]) =>
  Object.fromEntries(Object.entries(claims).filter(([name]) => !names.includes(name)));

const keys = generateKeyPairSync("rsa", { modulusLength: 2048 });

const forgeries: Record<string, (scene: Scene) => string> = {
  "no algorithm": ({ claims }) => jwt.sign(claims, null, { algorithm: "none" }),
  "no algorithm, spelt None": ({ claims }) => `${part({ ...proper, alg: "None" })}.${part(claims)}.`,
  "no algorithm, spelt NONE": ({ claims }) => `${part({ ...proper, alg: "NONE" })}.${part(claims)}.`,
  "no algorithm, spelt nOnE, and a right HMAC": ({ claims }) => signed({ ...proper, alg: "nOnE" }, claims),
  "no algorithm, and the signature of a good token": ({ claims, token }) =>
    `${part({ ...proper, alg: "none" })}.${part(claims)}.${token.split(".")[2]}`,
  "an algorithm that is null": ({ claims }) => signed({ ...proper, alg: null }, claims),
  "an algorithm that is empty": ({ claims }) => signed({ ...proper, alg: "" }, claims),
  "a list of algorithms": ({ claims }) => signed({ ...proper, alg: ["HS256"] }, claims),
  "the algorithm in small letters": ({ claims }) => signed({ ...proper, alg: "hs256" }, claims),
  "HS384 with the server's secret": ({ claims }) => signed({ ...proper, alg: "HS384" }, claims, { hash: "sha384" }),
  "HS512 with the server's secret": ({ claims }) => signed({ ...proper, alg: "HS512" }, claims, { hash: "sha512" }),
  "RS256 with another key": ({ claims }) => jwt.sign(claims, keys.privateKey, { algorithm: "RS256" }),
  "RS256 that names its own key": ({ claims }) => {
    const body = `${part({ alg: "RS256", typ: "JWT", jwk: keys.publicKey.export({ format: "jwk" }) })}.${part(claims)}`;
    return `${body}.${sign("sha256", Buffer.from(body), keys.privateKey).toString("base64url")}`;
  },
  "RS256 with the server's secret as the key of an HMAC": ({ claims }) => signed({ ...proper, alg: "RS256" }, claims),
  "another secret": ({ claims }) => signed(proper, claims, { key: "another-secret-of-more-than-32-bytes-0123" }),
  "an empty secret": ({ claims }) => signed(proper, claims, { key: "" }),
  "a key id that is a path to an empty file": ({ claims }) =>
    signed({ ...proper, kid: "../../../../dev/null" }, claims, { key: "" }),
  "a key id that is SQL": ({ claims }) =>
    signed({ ...proper, kid: "x' UNION SELECT 'key' -- " }, claims, { key: "key" }),
  "a key id that is a list": ({ claims }) => signed({ ...proper, kid: [secret] }, claims, { key: "key" }),
  "the address of a key": ({ claims }) => signed({ ...proper, jku: "http://127.0.0.1/key" }, claims, { key: "key" }),
  "another issuer": ({ claims }) => signed(proper, { ...claims, iss: "another" }),
  "several issuers": ({ claims }) => signed(proper, { ...claims, iss: ["messenger"] }),
  "no issuer": ({ claims }) => signed(proper, without(claims, "iss")),
  "another audience": ({ claims }) => signed(proper, { ...claims, aud: "another" }),
  "no audience": ({ claims }) => signed(proper, without(claims, "aud")),
  "another type": ({ claims }) => signed({ ...proper, typ: "at+jwt" }, claims),
  "no type": ({ claims }) => signed({ alg: "HS256" }, claims),
  "no expiry": ({ claims }) => signed(proper, without(claims, "exp")),
  "an expiry in the past": ({ claims }) => signed(proper, { ...claims, exp: now() - 1 }),
  "an expiry that is text": ({ claims }) => signed(proper, { ...claims, exp: String(now() + 1000) }),
  "an infinite expiry": ({ claims }) => signed(proper, JSON.stringify(claims).replace(/"exp":\d+/, '"exp":1e400')),
  "an expiry outside the range of dates": ({ claims }) => signed(proper, { ...claims, exp: 1e15 }),
  "a start in the future": ({ claims }) => signed(proper, { ...claims, nbf: now() + 1000 }),
  "a user that is a number": ({ claims }) => signed(proper, { ...claims, sub: claims.id }),
  "a user with a leading zero": ({ claims }) => signed(proper, { ...claims, sub: `0${claims.sub}` }),
  "a user with an exponent": ({ claims }) => signed(proper, { ...claims, sub: `${claims.sub}e0` }),
  "a user 1e3": ({ claims }) => signed(proper, { ...claims, id: 1000, sub: "1e3" }),
  "a user with a space": ({ claims }) => signed(proper, { ...claims, sub: ` ${claims.sub}` }),
  "a negative user": ({ claims }) => signed(proper, { ...claims, id: -claims.id, sub: `-${claims.sub}` }),
  "user zero": ({ claims }) => signed(proper, { ...claims, id: 0, sub: "0" }),
  "half a user": ({ claims }) => signed(proper, { ...claims, id: 1.5, sub: "1.5" }),
  "a user beyond 2^53": ({ claims }) => signed(proper, { ...claims, id: 2 ** 53, sub: String(2 ** 53) }),
  "a user beyond all numbers": ({ claims }) => signed(proper, { ...claims, sub: "9".repeat(400) }),
  "a user that is an object": ({ claims }) => signed(proper, { ...claims, sub: { id: claims.id } }),
  "a user that is a list": ({ claims }) => signed(proper, { ...claims, id: [claims.id], sub: [claims.sub] }),
  "two names for the user": ({ claims, othersClaims }) => signed(proper, { ...claims, id: othersClaims.id }),
  "no user": ({ claims }) => signed(proper, without(claims, "id", "sub")),
  "no session": ({ claims }) => signed(proper, without(claims, "sid")),
  "a session of another user": ({ claims, othersClaims }) => signed(proper, { ...claims, sid: othersClaims.sid }),
  "another user with the own session": ({ claims, othersClaims }) =>
    signed(proper, { ...claims, id: othersClaims.id, sub: othersClaims.sub }),
  "an unknown session": ({ claims }) => signed(proper, { ...claims, sid: 999_999 }),
  "a session that is SQL": ({ claims }) => signed(proper, { ...claims, sid: `${claims.sid} OR 1=1` }),
  "a session that is text": ({ claims }) => signed(proper, { ...claims, sid: String(claims.sid) }),
  "a session beyond what the database can count": ({ claims }) => signed(proper, { ...claims, sid: 2 ** 53 - 1 }),
  "claims that are a list": ({ claims }) => signed(proper, [claims]),
  "claims that are text": () => signed(proper, '"claims"'),
  "claims that are null": () => signed(proper, "null"),
  "claims that are no JSON": () => signed(proper, "{"),
  "claims that are nothing": () => signed(proper, ""),
  "10 KiB of claims": ({ claims }) => signed(proper, { ...claims, sid: "x".repeat(7500) }),
  "10 KiB of anything": () => "x".repeat(10_240),
  "no signature": ({ token }) => token.replace(/[^.]*$/, ""),
  "two parts": ({ token }) => token.replace(/\.[^.]*$/, ""),
  "one part": ({ token }) => token.split(".")[0] ?? "",
  "a signature cut short": ({ token }) => token.slice(0, -1),
  "a signature that goes on": ({ token }) => `${token}AAAA`,
  "claims of another user under a valid signature": ({ token, othersClaims }) => {
    const [header, , signature] = token.split(".");
    return `${header}.${part(othersClaims)}.${signature}`;
  },
  "a dot more at the end": ({ token }) => `${token}.`,
  "a dot more at the beginning": ({ token }) => `.${token}`,
  "a dot more in the middle": ({ token }) => token.replace(".", ".."),
  "a part more": ({ token }) => `${token}.${part({})}`,
  "dots only": () => "...",
  "letters beyond ASCII": ({ token }) => `${token}\u00e9`,
  "a signature that is no base64url": ({ token }) => token.replace(/[^.]*$/, "!".repeat(43)),
};

/** One of the 256 bits of the signature is flipped. */
for (const bit of [0, 1, 7, 8, 100, 254, 255]) {
  forgeries[`bit ${bit} of the signature flipped`] = ({ token }) => {
    const [header, claims, signature = ""] = token.split(".");
    const bytes = Buffer.from(signature, "base64url");
    const place = bit >> 3;
    bytes[place] = (bytes[place] ?? 0) ^ (0x80 >> (bit & 7));
    return `${header}.${claims}.${bytes.toString("base64url")}`;
  };
}

const claimsOf = ({ token }: TestUser): Claims => jwt.decode(token) as Claims;

/** The status of the response to an upgrade, after the server has closed the connection. */
function upgradeStatus(headers: string): Promise<number> {
  return new Promise((resolve, reject) => {
    let text = "";
    const socket = connect(messenger().port, "127.0.0.1", () =>
      socket.write(
        `GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n` +
          `Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n${headers}\r\n\r\n`,
        "latin1",
      ),
    );
    socket.setTimeout(10_000, () => reject(new Error(`the connection was not ended: ${text}`)));
    socket.on("data", (chunk) => {
      text += chunk;
      // Accepted: the server keeps this connection open.
      if (text.startsWith("HTTP/1.1 101")) socket.destroy();
    });
    socket.on("error", reject);
    socket.on("close", () => resolve(Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1])));
  });
}

describe("a token with", () => {
  let scene: Promise<Scene> | undefined;
  const createScene = async (): Promise<Scene> => {
    const [ann, bob] = [await messenger().person(), await messenger().person()];
    return { token: ann.token, claims: claimsOf(ann), othersClaims: claimsOf(bob) };
  };

  test.each(Object.entries(forgeries))("%s is rejected over HTTP and on the upgrade", async (_what, forge) => {
    scene ??= createScene();
    const token = forge(await scene);
    const { status, body } = await messenger().http("GET", "/users/me", { token });
    expect({ status, code: body.code, detail: body.detail }).toEqual({
      status: 401,
      code: "UNAUTHENTICATED",
      detail: "A valid token is required: log in",
    });
    expect(await upgradeStatus(`Authorization: Bearer ${token}`)).toBe(401);
    expect(await upgradeStatus(`Sec-WebSocket-Protocol: messenger.v1, bearer.${token}`)).toBe(401);
  });

  test("no fault is accepted, which proves that the faults above cause the rejections", async () => {
    scene ??= createScene();
    const { token, claims } = await scene;
    for (const good of [token, signed(proper, claims)]) {
      expect((await messenger().http("GET", "/users/me", { token: good })).status).toBe(200);
      expect(await upgradeStatus(`Authorization: Bearer ${good}`)).toBe(101);
      expect(await upgradeStatus(`Sec-WebSocket-Protocol: messenger.v1, bearer.${good}`)).toBe(101);
    }
  });
});
