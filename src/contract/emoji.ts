/** The emoji that Unicode recommends for general interchange, as this version of Node knows them. */
const recommendedEmoji = "^\\p{RGI_Emoji}$";
const recommended = new RegExp(recommendedEmoji, "v");
/** A skin tone by itself is recommended too, but it is a modifier of other emoji. */
const loneModifier = /^\p{Emoji_Modifier}$/u;
const graphemes = new Intl.Segmenter("en", { granularity: "grapheme" });

/** Whether a text is exactly one emoji, which is shown as one. */
export function isEmoji(text: string): boolean {
  if (!recommended.test(text) || loneModifier.test(text)) return false;
  const [first] = graphemes.segment(text);
  return first?.segment === text;
}
