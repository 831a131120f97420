import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "@jest/globals";
import { useMessenger } from "../../../test/support/messenger.ts";
import { password, person } from "./support/scenes.ts";

const server = useMessenger();
const script = join(__dirname, "support/closing-program.ts");

/** Well below any timer of the SDK, in milliseconds. */
const maxMs = 1500;

test.each(["nothing", "sent", "sending", "failing handler"])(
  "a process ends by itself when its messenger is closed (%s)",
  async (scenario) => {
    const [ann, bob] = [await person(server()), await person(server())];
    if (scenario === "failing handler") {
      const device = await server().connect(bob.token);
      await device.request("privateMessage", { receiverId: ann.id, content: "for the bot" });
    }
    const address = `http://127.0.0.1:${server().port}`;
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ["--import", "tsx", script, address, ann.email, password, String(bob.id), scenario],
      { timeout: 25_000 },
    );
    expect(Number(stdout)).toBeGreaterThan(0);
    expect(Number(stdout)).toBeLessThan(maxMs);
  },
);
