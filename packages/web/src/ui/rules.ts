/* What fields may contain. The server decides; this answers at once. */

const minPasswordLength = 8;

export const passwordHint = `At least ${minPasswordLength} characters.`;

export const passwordProblem = (password: string): string | undefined =>
  password.length >= minPasswordLength ? undefined : `Use at least ${minPasswordLength} characters.`;

export const emailProblem = (email: string): string | undefined =>
  /^[^\s@]+@[^\s@]+$/u.test(email.trim()) ? undefined : "Enter an e-mail address, such as ann@example.org.";
