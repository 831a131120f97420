import { group, onOff, textLike, Unset, webOrigin } from "../setting.ts";

export const webSettings = group(
  { title: "Web client and name" },
  {
    enabled: onOff(
      "WEB_CLIENT",
      "on",
      "Whether the server has the web client, at `/`. `off` leaves the pages of links, such as that of an invite.",
    ),
    serverName: textLike(
      "SERVER_NAME",
      {
        pattern: /^(?=.*[\p{L}\p{N}\p{S}])[^\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]{1,64}$/u,
        allowed:
          "1 to 64 characters in one line, with a letter, digit or symbol, and without controls of the direction of text",
      },
      "Messenger",
      "Name of the server, for people: in the web client and in GET /api/info.",
    ),
    publicUrl: webOrigin(
      "PUBLIC_URL",
      new Unset("the log shows the address on which the server listens"),
      "Address of the web client for people, such as that of the proxy in front.",
    ),
  },
);
