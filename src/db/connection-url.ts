import { parse } from "pg-connection-string";

/** The parts of a connection URL, which may contain `?host=/folder/of/a/socket` and `?sslmode=`. */
export function parseUrl(url: string) {
  const { host, port, database, user, password, ssl } = parse(url);
  return {
    ...(host && { host }),
    ...(port && { port: Number(port) }),
    ...(database && { database }),
    ...(user && { user }),
    ...(password && { password }),
    // A text would be the name of a native OpenSSL configuration, which `sslmode` never yields.
    ...(ssl && typeof ssl !== "string" && { ssl }),
  };
}

/** Host, port and database of a connection URL, for people: never the user or the password. */
export function describeUrl(url: string): string {
  const { host = "localhost", port = 5432, database = "" } = parseUrl(url);
  return host.startsWith("/") ? `${host}, database ${database}` : `${host}:${port}/${database}`;
}
