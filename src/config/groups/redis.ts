import { group, textLike, Unset, url } from "../setting.ts";

export const redisSettings = group(
  {
    title: "Several processes",
    note: "While Redis is down everything works, with up to two seconds of delay between processes.",
  },
  {
    url: url(
      "REDIS_URL",
      { schemes: ["redis", "rediss"], form: "redis://host:6379", example: "redis://127.0.0.1:6379" },
      new Unset("this is the only process"),
      "Redis 6 or newer, for several processes on one DATABASE_URL. All of them need the same JWT_SECRET.",
    ),
    prefix: textLike(
      "REDIS_PREFIX",
      { pattern: /^[\w.-]{1,64}$/, allowed: "up to 64 letters, digits, dots, dashes and underscores" },
      "messenger",
      "Prefix of keys and channels, for several messengers on one Redis.",
    ),
  },
);
