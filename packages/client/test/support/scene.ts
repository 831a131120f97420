import { afterEach } from "@jest/globals";
import * as sdk from "../../src/index.ts";
import { ModelDisk, ModelProgram } from "./model-program.ts";
import { ModelServer } from "./model-server.ts";
import { VirtualTime } from "./virtual-time.ts";

let scenes: Scene[] = [];
afterEach(() => {
  for (const scene of scenes) scene.time.uninstall();
  scenes = [];
});

/** A model server with users 1, 2 and 3, in virtual time. */
export class Scene {
  readonly time = new VirtualTime(1, Date.UTC(2030, 0));
  readonly server = new ModelServer(this.time);

  constructor() {
    scenes.push(this);
    this.time.install();
    for (const [index, name] of ["Ann", "Bob", "Cem"].entries()) this.server.addUser(index + 1, name);
  }

  disk(): ModelDisk {
    return new ModelDisk(this.time);
  }

  /** A program that uses a device's disk, or that of a new device. */
  program(disk = this.disk()): ModelProgram {
    return new ModelProgram(this.server, disk, sdk);
  }

  /** A program in which a user is logged in and live. */
  async loggedIn(userId: number, disk = this.disk()): Promise<ModelProgram> {
    const program = this.program(disk);
    await this.after(
      1000,
      program.run((messenger) => messenger.login({ email: String(userId), password: "" })),
    );
    return program;
  }

  /** Another program of the same device, which goes on with its session. */
  async resumed(disk: ModelDisk): Promise<ModelProgram> {
    const program = this.program(disk);
    await this.after(
      1000,
      program.run((messenger) => messenger.resume()),
    );
    return program;
  }

  /** Lets time pass, in which a promise settles. */
  async after<T>(ms: number, promise: Promise<T>): Promise<T> {
    promise.catch(() => {});
    await this.time.advance(ms);
    return promise;
  }
}

/** The texts of a timeline, in order. */
export const textsOf = (timeline: sdk.Timeline): string[] => timeline.value.messages.map(({ text }) => text);

export const seqsOf = (timeline: sdk.Timeline): (number | undefined)[] => timeline.value.messages.map(({ seq }) => seq);
