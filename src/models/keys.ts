/*
 * The forms in which texts are compared. They are computed here and stored; a change of the scheme needs a migration that
 * computes the stored ones again.
 */

/**
 * Folds the case of a text, so that texts that differ only in case become equal: also ß, ẞ and SS, or the two small forms of
 * Σ. Approximates the full case folding of Unicode (The Unicode Standard, section 3.13, "Default Case Folding") with the
 * case mappings that JavaScript has.
 */
const foldCase = (text: string): string => text.toLowerCase().toUpperCase().toLowerCase().replaceAll("ς", "σ");

/** The dotless ı is a letter of its own, but its capital form is I. */
const foldCaseExceptDotlessI = (text: string): string => text.replace(/[^ı]+/g, foldCase);

/** The form in which e-mail addresses are compared: any case, composed or decomposed accents. */
export const emailKey = (email: string): string => foldCaseExceptDotlessI(email.normalize("NFC")).normalize("NFC");

/** The form of earlier versions. It stays the key of an account whose new key belongs to another one. */
const earlierEmailKey = (email: string): string => email.normalize("NFC").toLowerCase();

/** The keys under which the account of an address can be stored, the one that takes precedence first. */
export const emailKeys = (email: string): string[] => [...new Set([earlierEmailKey(email), emailKey(email)])];

/** The form in which names are searched: any case, without accents and invisible characters, with single spaces. */
export const nameKey = (name: string): string =>
  foldCase(withoutMarks(foldCase(name.normalize("NFKC")).normalize("NFKD")))
    .normalize("NFKD")
    .replace(/\s+/g, " ")
    .trim();

const withoutMarks = (text: string): string => text.replace(/[\p{M}\p{Default_Ignorable_Code_Point}]/gu, "");

/** The form in which passwords are hashed: keyboards differ in how they compose accents. */
export const passwordForm = (password: string): string => password.normalize("NFC");
