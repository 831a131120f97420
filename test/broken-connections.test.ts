import { describe, expect, test } from "@jest/globals";
import { useMessenger } from "./support/messenger.ts";
import { bearer, connectRaw, nextEvent, parse, readUntilEnd, upgradeRequest } from "./support/raw-upgrade.ts";
import { annAndBob, sendPrivately } from "./support/scenes.ts";

/* Connections that end or send garbage during the upgrade do not affect others. */

const messenger = useMessenger();

const port = () => messenger().port;

describe("other connections are unaffected", () => {
  /** Two people who are connected before and must still be able to exchange messages afterwards. */
  async function expectUnaffected(attack: (token: string) => Promise<void>): Promise<void> {
    const { ann, bob } = await annAndBob(messenger());
    const attacker = await messenger().person();
    await attack(attacker.token);
    await sendPrivately(ann.device, bob.id, "still here?");
    expect((await bob.device.nextPush()).params.message).toBe("still here?");
    await (await attacker.connect()).settle();
    expect((await messenger().http("GET", "/health/ready")).status).toBe(200);
  }

  test("by clients that reset the connection in the middle of the upgrade", async () => {
    await expectUnaffected(async (token) => {
      const requests = [
        upgradeRequest(port(), bearer(token)),
        upgradeRequest(port(), bearer("garbage")),
        upgradeRequest(port(), {}, "/elsewhere"),
        upgradeRequest(port(), { ...bearer(token), Origin: "https://evil.example.org" }),
        upgradeRequest(port(), bearer(token)).slice(0, 60),
      ];
      for (let round = 0; round < 10; round++) {
        await Promise.all(
          requests.map(async (request) => {
            const socket = await connectRaw(port());
            const closed = nextEvent(socket, "close");
            await new Promise<void>((sent) => socket.write(request, () => sent()));
            if (round % 2) socket.resetAndDestroy();
            else socket.destroy();
            await closed;
          }),
        );
      }
    });
  });

  test("by clients that reset the connection at the moment of the response", async () => {
    await expectUnaffected(async (token) => {
      for (let round = 0; round < 10; round++) {
        await Promise.all(
          [bearer(token), bearer("garbage")].map(async (headers) => {
            const socket = await connectRaw(port());
            const closed = nextEvent(socket, "close");
            socket.once("data", () => socket.resetAndDestroy());
            socket.write(upgradeRequest(port(), headers));
            await closed;
          }),
        );
      }
    });
  });

  test("by clients that drop an open socket without a close frame", async () => {
    await expectUnaffected(async (token) => {
      for (let round = 0; round < 10; round++) {
        const socket = await connectRaw(port());
        const closed = nextEvent(socket, "close");
        socket.write(upgradeRequest(port(), bearer(token)));
        await nextEvent(socket, "data");
        // The beginning of a frame whose rest never arrives.
        await new Promise<void>((sent) => socket.write(Buffer.from([0x81, 0xfe, 0x10]), () => sent()));
        socket.resetAndDestroy();
        await closed;
      }
    });
  });

  test("by garbage on the port, which gets 400 or no response and the end of the connection", async () => {
    await expectUnaffected(async () => {
      const garbage = [
        Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03, 0x03]),
        Buffer.alloc(2000, 0xff),
        Buffer.from("GET / HTTP/9.9\r\n\r\n"),
        Buffer.from("GET / HTTP/1.1\r\n\r\n"),
        Buffer.from("SSH-2.0-OpenSSH_9.6\r\n"),
        Buffer.from("\u0000\u0000\u0000\u0000\r\n\r\n"),
        Buffer.from(`GET / HTTP/1.1\r\nHost: x\r\nX: ${"y".repeat(70_000)}\r\n\r\n`),
        Buffer.from(upgradeRequest(port(), { "Bad Header": "x" })),
      ];
      for (const bytes of garbage) {
        const text = await readUntilEnd(port(), bytes);
        if (text !== "") expect([400, 431, 505]).toContain(parse(text).status);
      }
    });
  });
});
