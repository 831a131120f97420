import type { Message } from "messenger-client";

/** The first lines of a message without the signs of Markdown, for previews. */
export const plainText = (text: string): string =>
  text
    .slice(0, 300)
    .replace(/^\s*(?:>|#{1,6}|[-*+]|```\w*)\s+/gm, "")
    .replace(/(\*\*|__|~~|`+)/g, "");

/** A message in one line: its text, or what its files are. */
export const previewOf = ({ text, files, uploads }: Pick<Message, "text" | "files" | "uploads">): string =>
  plainText(text) || describeFiles(files ?? uploads ?? []);

function describeFiles(files: readonly { name: string; mediaType: string }[]): string {
  const [first] = files;
  if (!first) return "";
  const areAll = (kind: string) => files.every(({ mediaType }) => mediaType.startsWith(`${kind}/`));
  if (files.length > 1) return areAll("image") ? `${files.length} pictures` : `${files.length} files`;
  if (areAll("image")) return "Picture";
  if (areAll("video")) return "Video";
  return areAll("audio") ? "Audio" : first.name;
}
