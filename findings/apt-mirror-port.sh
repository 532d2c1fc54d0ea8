#!/usr/bin/env bash
# apt-mirror 0.5.4-2 (Debian 12): of a source whose URL has a port it mirrors nothing, and ends with status 0.
# wget saves the indexes below `HOST:PORT/`, as it always does; apt-mirror looks for them below `HOST/`. The same
# repository at port 80 is mirrored whole.
set -euo pipefail

version=0.5.4-2
work=$(mktemp -d)
trap 'kill ${servers:-} 2>/dev/null || true; rm -rf -- "$work"' EXIT
cd -- "$work"
chmod 755 .
apt-get -qq -o APT::Sandbox::User=root download "apt-mirror=$version"
dpkg-deb -x ./apt-mirror_*.deb root

mkdir -p tool/DEBIAN repo/pool repo/dists/stable/main/binary-amd64
printf '%s\n' 'Package: tool' 'Version: 1' 'Architecture: all' 'Maintainer: A <a@example.com>' \
  'Description: a tool' > tool/DEBIAN/control
dpkg-deb --root-owner-group --build tool repo/pool/tool_1_all.deb > /dev/null
digest() { sha256sum "$1" | cut -d ' ' -f 1; }
(
  cd repo
  {
    cat ../tool/DEBIAN/control
    echo "Filename: pool/tool_1_all.deb"
    echo "Size: $(stat -c %s pool/tool_1_all.deb)"
    echo "SHA256: $(digest pool/tool_1_all.deb)"
  } > dists/stable/main/binary-amd64/Packages
  cd dists/stable
  gzip -9nk main/binary-amd64/Packages
  {
    printf '%s\n' 'Codename: stable' 'Suite: stable' 'Architectures: amd64' 'Components: main' "Date: $(date -uR)" 'SHA256:'
    for index in main/binary-amd64/Packages{,.gz}; do
      echo " $(digest "$index") $(stat -c %s "$index") $index"
    done
  } > Release
)

# Two addresses of the loopback range: one server at the usual port, one beside it.
python3 -m http.server --directory repo --bind 127.0.0.61 80 > /dev/null 2>&1 &
servers=$!
python3 -m http.server --directory repo --bind 127.0.0.61 8061 > /dev/null 2>&1 &
servers="$servers $!"
sleep 2

dpkg-deb -f ./apt-mirror_*.deb Package Version
mirror() { # HOST[:PORT]
  rm -rf base
  mkdir -p base/{mirror,skel,var}
  printf '%s\n' "set base_path $work/base" 'set nthreads 1' 'set defaultarch amd64' 'set _tilde 0' \
    'set run_postmirror 0' "deb http://$1/ stable main" > mirror.list
  local status=0
  root/usr/bin/apt-mirror mirror.list > log 2>&1 || status=$?
  echo "\$ apt-mirror, http://$1/: exit status $status, files mirrored: $(find base/mirror -type f | wc -l)"
  grep -h "can't open index" log | cut -d ' ' -f 1-5 || true
}
plain=$(mirror 127.0.0.61)
echo "$plain"
ported=$(mirror 127.0.0.61:8061)
echo "$ported"
[[ $plain = *'exit status 0, files mirrored: '[1-9]* ]]
[[ $ported = *"exit status 0, files mirrored: 0"*"can't open index 127.0.0.61///dists"* ]]
