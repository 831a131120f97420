import sharp from "sharp";

const colours = ["#c33", "#3c3", "#33c"];

/** Small pictures for avatars. */
export const pictures: Promise<readonly Buffer[]> = Promise.all(
  colours.map((background) =>
    sharp({ create: { width: 32, height: 24, channels: 3, background } })
      .png()
      .toBuffer(),
  ),
);
