import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32, deflateSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import sharp from "sharp";
import { thumbHashToApproximateAspectRatio } from "thumbhash";
import { Images } from "../src/files/images.ts";
import { isInline, sniffMediaType } from "../src/files/media-type.ts";

let folder: string;
let images: Images;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "images-"));
  const opened = await Images.open();
  if (!opened) throw new Error("sharp is not installed");
  images = opened;
});

afterAll(() => rm(folder, { recursive: true }));

const picture = (width: number, height: number) =>
  sharp({ create: { width, height, channels: 3, background: { r: 200, g: 30, b: 30 } } });

async function write(name: string, bytes: Uint8Array): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, bytes);
  return path;
}

/** A PNG whose header promises a picture of this size. */
function pngOf(width: number, height: number, rows: Buffer): Buffer {
  const chunk = (type: string, data: Buffer) => {
    const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
    const length = Buffer.alloc(4);
    length.writeUInt32BE(data.length);
    const check = Buffer.alloc(4);
    check.writeUInt32BE(crc32(body));
    return Buffer.concat([length, body, check]);
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8);
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([
    signature,
    chunk("IHDR", header),
    chunk("IDAT", deflateSync(rows)),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

test("a picture has its size, a ThumbHash and thumbnails that fit", async () => {
  const path = await write("a.png", await picture(1000, 500).png().toBuffer());
  const read = await images.read(path, { stripsMetadata: true });
  expect(read).toMatchObject({ width: 1000, height: 500, stripped: undefined });
  const sizes = [];
  for (const [size, bytes] of read?.thumbnails ?? []) {
    const { width, height, format } = await sharp(bytes).metadata();
    sizes.push([size, width, height, format]);
  }
  expect(sizes).toEqual([
    [320, 320, 160, "webp"],
    [640, 640, 320, "webp"],
  ]);
  const ratio = thumbHashToApproximateAspectRatio(read?.thumbHash ?? Buffer.alloc(0));
  expect(ratio).toBeGreaterThan(1.5);
});

test("a small picture is never enlarged", async () => {
  const path = await write("small.png", await picture(40, 30).png().toBuffer());
  const thumbnail = (await images.read(path, { stripsMetadata: true }))?.thumbnails.get(640);
  expect(await sharp(thumbnail).metadata()).toMatchObject({ width: 40, height: 30 });
});

test("orientation is applied, and the place where a photo was taken is removed", async () => {
  const photo = await picture(400, 200)
    .jpeg()
    .withMetadata({ orientation: 6 })
    .withExifMerge({ IFD0: { Artist: "Somebody" }, IFD3: { GPSLatitude: "52/1 31/1 0/1", GPSLatitudeRef: "N" } })
    .toBuffer();
  expect((await sharp(photo).metadata()).exif).toBeDefined();
  const path = await write("photo.jpg", photo);
  const read = await images.read(path, { stripsMetadata: true });
  expect(read).toMatchObject({ width: 200, height: 400 });
  const { exif, orientation, width, height } = await sharp(read?.stripped).metadata();
  expect({ exif, orientation, width, height }).toEqual({
    exif: undefined,
    orientation: undefined,
    width: 200,
    height: 400,
  });
  expect((await sharp(read?.thumbnails.get(320)).metadata()).exif).toBeUndefined();
  expect((await images.read(path, { stripsMetadata: false }))?.stripped).toBeUndefined();
});

test("damaged pictures and decompression bombs have no thumbnail, and the next picture has", async () => {
  const whole = await picture(300, 300).png().toBuffer();
  const bomb = pngOf(50_000, 20_000, Buffer.alloc(1_000_000));
  const hugeHeader = pngOf(2_147_483_647, 2_147_483_647, Buffer.alloc(10));
  for (const [index, bytes] of [
    bomb,
    hugeHeader,
    whole.subarray(0, 60),
    Buffer.alloc(0),
    Buffer.from("text"),
  ].entries()) {
    const path = await write(`bad-${index}.png`, bytes);
    expect(await images.read(path, { stripsMetadata: true })).toBeUndefined();
  }
  const path = await write("good.png", whole);
  expect(await images.read(path, { stripsMetadata: true })).toMatchObject({ width: 300, height: 300 });
});

test("a square picture is cut out of the middle", async () => {
  const square = await images.square(await picture(600, 200).png().toBuffer(), 256);
  expect(await sharp(square).metadata()).toMatchObject({ format: "webp", width: 256, height: 256 });
  expect(await images.square(Buffer.from("no picture"), 256)).toBeUndefined();
});

test("the type of a file is found by its bytes, and scripts are never shown", async () => {
  const typeOf = async (bytes: Uint8Array | string) => sniffMediaType(Buffer.from(bytes as string));
  expect(await typeOf(await picture(2, 2).png().toBuffer())).toBe("image/png");
  expect(await typeOf(await picture(2, 2).gif().toBuffer())).toBe("image/gif");
  expect(await typeOf(await picture(2, 2).avif().toBuffer())).toBe("image/avif");
  // A GIF that is a script, too, is a GIF.
  expect(await typeOf("GIF89a/*\0\0\0\0*/=1;alert(1)")).toBe("image/gif");
  for (const text of [
    "<!doctype html><script>alert(1)</script>",
    '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
    '<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>',
    "%PDF-1.7\n",
    "PK\x03\x04",
    "text",
    "",
  ]) {
    expect(isInline(await typeOf(text))).toBe(false);
  }
});
