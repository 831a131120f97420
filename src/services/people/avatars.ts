import { randomBytes } from "node:crypto";
import type { Database } from "../../db/connect.ts";
import { type NewAvatar, readAvatar, setUserAvatar } from "../../db/queries/avatars/avatars.ts";
import type { Actor } from "../../domain/actor.ts";
import { noSuchUser } from "../../domain-errors.ts";
import { AppError } from "../../errors.ts";
import type { Images } from "../../files/images.ts";
import { isPicture, sniffedBytes, sniffMediaType } from "../../files/media-type.ts";
import type { Groups } from "../groups/groups.ts";

/** Width and height of avatars. */
const side = 256;
/** Enough that an id cannot be guessed: avatars are read without log-in. */
const idBytes = 16;
const idPattern = /^[0-9a-f]{32}$/;

/** The pictures of users and groups. */
export class Avatars {
  constructor(
    private readonly options: {
      database: Database;
      groups: Groups;
      /** Undefined if `sharp` is not installed. */
      images: Images | undefined;
      /** Called after the avatar of a user has changed. */
      onChange: (userId: number) => void;
    },
  ) {}

  /** Whether pictures can be converted. */
  get isAvailable(): boolean {
    return this.options.images !== undefined;
  }

  /** Makes a picture the avatar of the user. @returns its id */
  async set(userId: number, picture: Buffer): Promise<string> {
    const avatar = await this.convert(picture);
    await this.change(userId, avatar);
    return avatar.id;
  }

  async remove(userId: number): Promise<void> {
    await this.change(userId, undefined);
  }

  /** Makes a picture the avatar of a group; admins and the owner may. @returns its id */
  async setOfGroup(by: Actor, { groupId, picture }: { groupId: number; picture: Buffer }): Promise<string> {
    await this.options.groups.requireAdmin(by, groupId);
    const avatar = await this.convert(picture);
    await this.options.groups.setAvatar(by, { groupId, avatar });
    return avatar.id;
  }

  async removeOfGroup(by: Actor, { groupId }: { groupId: number }): Promise<void> {
    await this.options.groups.setAvatar(by, { groupId, avatar: undefined });
  }

  /** Returns an avatar as WebP. */
  async read(id: string): Promise<Buffer> {
    const picture = idPattern.test(id) ? await readAvatar(this.options.database, id) : undefined;
    if (!picture) throw new AppError("notFound", "There is no such avatar");
    return picture;
  }

  private async change(userId: number, avatar: NewAvatar | undefined): Promise<void> {
    if (!(await setUserAvatar(this.options.database, userId, avatar))) throw noSuchUser();
    this.options.onChange(userId);
  }

  private async convert(source: Buffer): Promise<NewAvatar> {
    const { images } = this.options;
    if (!images) throw new AppError("notConfigured", "This server cannot convert pictures: sharp is not installed");
    // Of other types, such as SVG, not even the beginning is decoded.
    const isUsable = isPicture(await sniffMediaType(source.subarray(0, sniffedBytes)));
    const picture = isUsable ? await images.square(source, side) : undefined;
    if (!picture) {
      throw new AppError(
        "validation",
        "The body is no picture, or a damaged or too large one: PNG, JPEG, GIF, WebP or AVIF",
      );
    }
    return { id: randomBytes(idBytes).toString("hex"), picture };
  }
}
