/** A registered user with a session. */
export interface Account {
  id: number;
  token: string;
}

/** With what a user who was registered with this name logs in. */
export const credentialsOf = (name: string): { email: string; password: string } => ({
  email: `${name.toLowerCase()}@example.test`,
  password: "correct horse battery",
});

/** Registers a user with this name over HTTP. */
export async function registerAccount(
  port: number,
  name: string,
  headers: Record<string, string> = {},
): Promise<Account> {
  const response = await fetch(`http://127.0.0.1:${port}/auth/register`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify({
      ...credentialsOf(name),
      firstName: name,
    }),
  });
  if (response.status !== 201) throw new Error(`registration failed: ${await response.text()}`);
  const { user, token } = (await response.json()) as { user: { id: number }; token: string };
  return { id: user.id, token };
}
