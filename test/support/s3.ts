import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import S3rver from "s3rver";

/** An S3 server with one bucket. */
export interface TestS3 {
  /** For `FILES_URL`. */
  url: string;
  port: number;
  /** Stops the server; its objects stay until `stop`. */
  pause(): Promise<void>;
  resume(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts an S3 server on a free port. */
export async function startS3(): Promise<TestS3> {
  const directory = await mkdtemp(join(tmpdir(), "s3-"));
  const start = async (port: number) => {
    const server = new S3rver({
      port,
      address: "127.0.0.1",
      silent: true,
      directory,
      configureBuckets: [{ name: "files" }],
    });
    const address = await server.run();
    return { server, port: address.port };
  };
  let { server, port } = await start(0);
  return {
    url: `s3://S3RVER:S3RVER@files/messenger?endpoint=http://127.0.0.1:${port}`,
    port,
    pause: () => server.close(),
    resume: async () => {
      ({ server, port } = await start(port));
    },
    stop: async () => {
      await server.close().catch(() => {});
      await rm(directory, { recursive: true, force: true });
    },
  };
}
