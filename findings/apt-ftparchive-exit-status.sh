#!/usr/bin/env bash
# apt-utils 2.6.2 (Debian 12): `apt-ftparchive` ends with 0 whatever of its input it could not read. A package that is cut
# off, one that its list names and that is not there, a directory that is not there: each is an error on stderr, and the
# index is written without it, an empty one if need be. Its manual says that it returns 100 on error. Whoever publishes
# what it wrote has taken packages from the repository that are still in the pool.
set -euo pipefail

version=2.6.2
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
cd -- "$work"
chmod 755 .
for package in apt-utils libapt-pkg6.0; do
  apt-get -qq -o APT::Sandbox::User=root download "$package=$version"
  dpkg-deb -x ./"$package"_*.deb root
done
libraries=$(dirname -- "$(find root -name 'libapt-pkg.so.6.0')")
tool() { LD_LIBRARY_PATH=$libraries root/usr/bin/apt-ftparchive "$@"; }

mkdir pool
for name in one two; do
  mkdir -p "$name/DEBIAN"
  printf '%s\n' "Package: $name" 'Version: 1' 'Architecture: all' 'Maintainer: A <a@example.org>' 'Description: a package' \
    > "$name/DEBIAN/control"
  dpkg-deb --root-owner-group --build "$name" "pool/${name}_1_all.deb" > /dev/null
done
cp -r pool upload
truncate --size=-40 upload/two_1_all.deb # as it is while somebody still sends it
printf 'pool/%s_1_all.deb\n' one two three > names

configuration() { # SETTINGS OF THE DIRECTORY
  printf '%s\n' 'Dir { ArchiveDir "."; CacheDir "."; };' 'Default { Packages::Compress "."; };' \
    "BinDirectory $1 Packages \"Packages\"; };" > generate.conf
}
failed=0
try() { # WHAT EXPECTED-PACKAGES EXPECTED-WORDS COMMAND...
  local what=$1 expected=$2 words=$3 status=0 listed
  shift 3
  "$@" 2> said || status=$?
  listed=$(grep -c '^Package: ' Packages || true)
  echo "$what: exit status $status, packages in the index: $listed; $(grep -m 1 -oE "$words" said || true)"
  [ "$status" = 0 ] && [ "$listed" = "$expected" ] && { [ "$words" = '' ] || grep -qE "$words" said; } || failed=1
}
packages() { tool packages "$1" > Packages; }

echo "apt-ftparchive $version"
configuration '"pool" {'
try 'generate, two packages' 2 '' tool generate generate.conf
configuration '"upload" {'
try 'generate, one of them cut off' 1 'E: Invalid archive member header' tool generate generate.conf
try 'packages, one of them cut off' 1 'E: Invalid archive member header' packages upload
configuration '"." { FileList "names";'
try 'generate, a list with one that is not there' 2 'E: Could not open file .*three_1_all.deb' tool generate generate.conf
configuration '"pond" {'
try 'generate, a directory that is not there' 0 'E: Tree walking failed' tool generate generate.conf
exit "$failed"
