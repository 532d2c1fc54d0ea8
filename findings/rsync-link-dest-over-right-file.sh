#!/usr/bin/env bash
# rsync 3.5.0 (Debian 12): `--link-dest` takes a file away that the destination has already and that is the source's own,
# and puts a link to the other directory's in its place, where that one has the same size and second, and another content.
# Without the option nothing is done there. It ends with 0, and `--itemize-changes` tells of nothing. So a transfer that
# is only repeated into its own destination may make it worse; `--checksum` keeps the right one, `--copy-dest` leaves it.
# The manual says that since 3.1.0 an "exact match" of the other directory is linked over a file that is there: exact is
# size and time, though the file that is there is as exact.
set -euo pipefail

version=3.5.0+ds1-0+deb12u1
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
cd -- "$work"
chmod 755 .
apt-get -qq -o APT::Sandbox::User=root download "rsync=$version"
dpkg-deb -x ./rsync_*.deb root

mkdir from before to
echo new > from/index
echo old > before/index
at='2026-01-02 03:04:05'
touch -d "$at" from/index before/index
failed=0
send() { # EXPECTED-CONTENT OPTIONS...
  local expected=$1 status=0 said
  shift
  rm -f to/index
  cp -p from/index to/index
  touch -d "$at" from before to
  said=$(root/usr/bin/rsync --archive --itemize-changes "$@" from/ to/) || status=$?
  echo "\$ rsync --archive --itemize-changes $* from/ to/: exit status $status, said \"$said\", to/index is $(cat to/index)"
  [ "$status" = 0 ] && [ "$said" = '' ] && [ "$(cat to/index)" = "$expected" ] || failed=1
}

root/usr/bin/rsync --version | sed -n 1p
echo 'from/index and to/index are "new", before/index is "old"; sizes and times are the same'
send new
send old --link-dest=../before
send new --link-dest=../before --checksum
send new --copy-dest=../before
exit "$failed"
