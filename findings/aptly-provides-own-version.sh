#!/usr/bin/env bash
# aptly 1.6.1 (Debian 13; 1.6.2 does the same): a `Provides` without a version counts for aptly as one of the version that
# the providing package itself has. `aptly snapshot verify` finds nothing missing, and `-with-deps` takes the provider,
# where apt refuses: by Debian's policy (7.5) no dependency on a version is met by it. So a mirror of a package "with its
# dependencies" cannot install it. It is meant so (aptly-dev/aptly's pull request 1387); aptly 1.5.0 knew no versions there
# at all. What verify does find missing is only printed: it ends with 0.
set -euo pipefail

version=1.6.1+ds1-3
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
cd -- "$work"
chmod 755 .
apt-get install -qq --yes --no-install-recommends mmdebstrap > installing 2>&1
mmdebstrap --quiet --variant=extract --include="aptly=$version" trixie root

package() { # NAME VERSION [FIELD]
  rm -rf tree
  mkdir -p tree/DEBIAN packages
  printf '%s\n' "Package: $1" "Version: $2" 'Architecture: all' 'Maintainer: A <a@example.org>' 'Description: a package' \
    ${3:+"$3"} > tree/DEBIAN/control
  dpkg-deb --root-owner-group -Znone --build tree packages > /dev/null
}
package unversioned 1 'Depends: codec (>= 4)'
package player 5 'Provides: codec'
package older 1 'Depends: filter (>= 4)'
package mixer 5 'Provides: filter (= 3)'
package newer 1 'Depends: reader (>= 4)'
package editor 1 'Provides: reader (= 5)'

echo "{\"rootDir\": \"$work/aptly\", \"architectures\": [\"amd64\"]}" > aptly.conf
tool() {
  "$(echo root/usr/lib/*/ld-linux-*)" --library-path "$(echo root/usr/lib/*-linux-gnu)" root/usr/bin/aptly \
    -config="$work/aptly.conf" "$@"
}
mkdir -p apt/{etc,state/lists/partial,cache/archives/partial}
(cd packages && dpkg-scanpackages --multiversion . > Packages 2> /dev/null)
touch status
echo "deb [trusted=yes] file:$work/packages ./" > apt/etc/sources.list
ask() {
  apt-get -o Dir::Etc="$work/apt/etc" -o Dir::State="$work/apt/state" -o Dir::Cache="$work/apt/cache" \
    -o Dir::State::status="$work/status" -o APT::Architecture=amd64 -o APT::Sandbox::User=root -o Acquire::Languages=none "$@"
}
ask -qq update

tool version
{
  tool repo create one
  tool repo add one packages
  tool snapshot create all from repo one
} > making 2>&1
status=0
tool snapshot verify all > said 2>&1 || status=$?
missing=$(sed -n 's/^  *\([a-z]* (.*\)/\1/p' said | paste -sd ,)
echo "aptly snapshot verify: exit status $status, missing: $missing"
failed=0
[ "$status" = 0 ] && [ "$missing" = 'filter (>= 4) [amd64]' ] || failed=1

try() { # PACKAGE EXPECTED-OF-APTLY EXPECTED-OF-APT
  local taken answer=refuses
  tool snapshot filter -with-deps all "with-$1" "$1" > filtering 2>&1
  taken=$(tool snapshot show -with-packages "with-$1" | sed -n 's/^  \([a-z]*_[0-9]*\)_all$/\1/p' | paste -sd ' ')
  if ask -qq --simulate install "$1" > simulating 2>&1; then answer=installs; fi
  echo "$1: aptly takes $taken; $(apt-get --version | sed -n '1s/ (.*//p') $answer"
  [ "$taken" = "$2" ] && [ "$answer" = "$3" ] || failed=1
}
try unversioned 'player_5 unversioned_1' refuses
try older older_1 refuses
try newer 'editor_1 newer_1' installs
exit "$failed"
