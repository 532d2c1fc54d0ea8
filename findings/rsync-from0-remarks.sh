#!/usr/bin/env bash
# rsync 3.5.0 (Debian 12): `--from0 --files-from` still takes a name that begins with `#` or `;` for a remark.
# With names that end in a zero byte nothing is left to mark a remark with, and file names such as `#1.log` are valid;
# they are passed over without a word, and the exit status is 0. `./` before each name keeps them.
set -euo pipefail

version=3.5.0+ds1-0+deb12u1
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
cd -- "$work"
chmod 755 .
apt-get -qq -o APT::Sandbox::User=root download "rsync=$version"
dpkg-deb -x ./rsync_*.deb root
rsync() { root/usr/bin/rsync "$@"; }

mkdir from
touch -- from/plain 'from/#1.log' 'from/;notes'
copy() { # PREFIX
  rm -rf to
  (cd from && printf '%s\0' *) | while IFS= read -r -d '' name; do printf '%s%s\0' "$1" "$name"; done > names
  rsync --from0 --files-from=names from/ to/ && echo "exit status $?: $(cd to && printf '%s ' *)"
}

root/usr/bin/rsync --version | sed -n 1p
echo "\$ rsync --from0 --files-from=names from/ to/     # '#1.log', ';notes', 'plain'"
bare=$(copy '')
echo "$bare"
echo '$ the same with ./ before each name'
marked=$(copy ./)
echo "$marked"
[ "$bare" = 'exit status 0: plain ' ]
[ "$marked" = 'exit status 0: #1.log ;notes plain ' ]
