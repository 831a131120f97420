/** The first lines of a message without the signs of Markdown, for previews. */
export const plainText = (text: string): string =>
  text
    .slice(0, 300)
    .replace(/^\s*(?:>|#{1,6}|[-*+]|```\w*)\s+/gm, "")
    .replace(/(\*\*|__|~~|`+)/g, "");
