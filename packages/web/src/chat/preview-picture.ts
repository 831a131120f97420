import { thumbHashToDataURL } from "thumbhash";

/** The address of the blurred preview of a picture; undefined where there is none. */
export function previewPicture(thumbHash: string | null): string | undefined {
  if (thumbHash === null) return undefined;
  try {
    return thumbHashToDataURL(Uint8Array.from(atob(thumbHash), (character) => character.charCodeAt(0)));
  } catch {
    return undefined;
  }
}
