import { describe, expect, test } from "@jest/globals";
import { onServer } from "./support/databases.ts";
import { register, useProcesses } from "./support/processes.ts";

/* One process per data folder; only the embedded database has one. */

const processes = useProcesses();

(onServer ? describe.skip : describe)("a data folder", () => {
  test("a second process on the same data folder fails with the id of the first", async () => {
    const first = await processes.start();
    const { code, output } = await processes.spawn().exited;
    expect(code).toBe(1);
    expect(output).toContain(
      `The data folder ${processes.dataDir} is in use by another messenger (process ${first.child.pid})`,
    );
    await register(first);
  });

  test("the lock of a killed process is taken over at once", async () => {
    const first = await processes.start();
    await first.stop("SIGKILL");
    const startedAt = Date.now();
    await processes.start();
    expect(Date.now() - startedAt).toBeLessThan(15_000);
  });

  test("a data folder works even if its path is too long for a socket", async () => {
    const folder = `${processes.dataDir}/${"long-".repeat(30)}`;
    const server = await processes.start({ DATA_DIR: folder });
    await register(server);
    expect(await server.stop("SIGTERM")).toMatchObject({ code: 0 });
  });
});
