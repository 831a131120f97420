/** The longest name that is kept, in UTF-16 units. Most file systems allow 255 bytes. */
const maxLength = 200;
const maxExtensionLength = 20;
const nameless = "file";

/** Control characters, those that control the direction of text, and lone surrogates. */
const unwanted = /[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\u2028\u2029]/gu;

/** The name under which a file is shown and saved: without folders, and without characters that hide what it is. */
export function cleanFileName(given: string): string {
  const last = given.toWellFormed().replace(unwanted, "").split(/[/\\]/).at(-1) ?? "";
  const name = last.trim();
  if (name === "" || name === "." || name === "..") return nameless;
  if (name.length <= maxLength) return name;
  const dot = name.lastIndexOf(".");
  const extension = dot > 0 && name.length - dot <= maxExtensionLength ? name.slice(dot) : "";
  return `${name.slice(0, maxLength - extension.length).replace(/[\ud800-\udbff]$/, "")}${extension}`;
}
