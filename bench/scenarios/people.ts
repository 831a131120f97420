import { readSettings } from "../../src/config/read-settings.ts";
import { connect } from "../../src/db/connect.ts";
import { migrate } from "../../src/db/migrate.ts";
import { createLogger } from "../../src/logger.ts";
import { People } from "../../src/services/people/people.ts";
import { onDatabase } from "../../test/support/on-database.ts";
import type { Scenario } from "../scenario.ts";
import { median } from "../statistics.ts";
import { digits } from "../table.ts";

const searches = ["a", "anna", "kow", "anna k", "a k", "a zzz", "zzz", "u77@example.test"];

/** Users with a realistic, uneven distribution of names. */
const insertPeople = (count: number) => `
  INSERT INTO users (email, email_key, password_hash, first_name, last_name, first_name_key, last_name_key)
  SELECT 'u' || i || '@example.test', 'u' || i || '@example.test', 'x', f, l, lower(f), lower(l)
    FROM (SELECT i,
                 (ARRAY['Anna','Annika','Bob','Carla','Dmitri','Elena','Frank','Grace','Hans','Ivan','Julia','Karl',
                        'Lena','Maria','Nora','Oleg','Paul','Quinn','Rosa','Sven'])[1 + i % 20]
                   || CASE WHEN i % 3 = 0 THEN '' ELSE chr(97 + i % 26) END AS f,
                 (ARRAY['Smith','Kowalski','Ivanov','Garcia','Muller','Rossi','Anders','Novak','Kim','Lee']
                 )[1 + (i / 20) % 10] || md5(i::text) AS l
            FROM generate_series(1, ${count}) AS i) AS names`;

export const people: Scenario = {
  summary: "searching a million users",
  async run({ quick }, databaseServer) {
    const count = quick ? 10_000 : 1_000_000;
    const log = createLogger({ level: "silent", readable: false });
    const url = await databaseServer.createDatabase();
    await migrate(url, log);
    await onDatabase(url, (client) => client.query(`${insertPeople(count)}; ANALYZE`));
    const { timeouts } = readSettings({ DATABASE_URL: url }).database;
    const { database } = connect({ url, embedded: false, poolSize: 2, timeouts, log });
    const finder = new People({ database });
    const rows: (string | number)[][] = [];
    for (const search of searches) {
      const times: number[] = [];
      let found = 0;
      for (let round = 0; round < 9; round++) {
        const startedAt = performance.now();
        found = (await finder.list(1, { search, limit: 20 })).data.length;
        times.push(performance.now() - startedAt);
      }
      rows.push([search, String(found), median(times)]);
    }
    await database.close();
    const title = `people: the first 20 of ${digits(count)}`;
    return [{ title, columns: ["search", "found", "ms"], rows, targets: [], faults: [] }];
  },
};
