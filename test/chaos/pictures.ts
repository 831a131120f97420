import { plainPicture } from "../support/pictures.ts";

/** Small pictures for avatars. */
export const pictures: Promise<readonly Buffer[]> = Promise.all(
  ["#c33", "#3c3", "#33c"].map((colour) => plainPicture(32, 24, colour)),
);
