#!/usr/bin/env bash
# apt 2.6.2 (Debian 12): which of two repositories a package comes from is not decided by pin priorities where both have
# the same version of it, of the same size and with the same relations, as two builds of one source may be. apt takes the
# two for one version, `apt-cache policy` shows it at the higher priority, and what is fetched is the file of whichever
# repository stands first in sources.list, with a warning that the hashes differ. Of another size, the priorities hold.
# That apt takes them for one is known for what it does to hashes (Debian's #931175), and mended in later versions
# (Launchpad's #2029268); of priorities neither says anything.
set -euo pipefail

version=2.6.2
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
cd -- "$work"
chmod 755 .
for package in apt libapt-pkg6.0; do
  apt-get -qq -o APT::Sandbox::User=root download "$package=$version"
  dpkg-deb -x ./"$package"_*.deb root
done
libraries=$(dirname -- "$(find root -name 'libapt-pkg.so.6.0')")

package() { # REPOSITORY NAME CONTENT
  rm -rf tree
  mkdir -p tree/DEBIAN tree/usr/share/"$2" "$1"
  printf '%s\n' "Package: $2" 'Version: 1' 'Architecture: all' 'Maintainer: A <a@example.org>' 'Description: a package' \
    > tree/DEBIAN/control
  echo "$3" > tree/usr/share/"$2"/content
  SOURCE_DATE_EPOCH=1767225600 dpkg-deb --root-owner-group -Znone --build tree "$1/$2_1_all.deb" > /dev/null
  {
    cat tree/DEBIAN/control
    echo "Filename: $2_1_all.deb"
    echo "Size: $(stat -c %s "$1/$2_1_all.deb")"
    printf 'SHA256: %s\n\n' "$(sha256sum "$1/$2_1_all.deb" | cut -d ' ' -f 1)"
  } >> "$1/Packages"
}
release() { # REPOSITORY
  printf '%s\n' "Label: $1" "Date: $(date -uR)" 'SHA256:' \
    " $(sha256sum "$1/Packages" | cut -d ' ' -f 1) $(stat -c %s "$1/Packages") Packages" > "$1/Release"
}
package released equal one
package tested equal two
package released longer short
package tested longer "$(seq 10000)"
release released
release tested
[ "$(stat -c %s released/equal_1_all.deb)" = "$(stat -c %s tested/equal_1_all.deb)" ]

mkdir -p etc/{apt.conf,preferences,sources.list}.d state/lists/partial cache/archives/partial
touch status
printf 'Package: *\nPin: release l=%s\nPin-Priority: %s\n\n' tested 900 released 100 > etc/preferences
export APT_CONFIG=$work/etc/apt.conf
cat > "$APT_CONFIG" <<CONF
Dir "$work";
Dir::Etc "etc";
Dir::State "state";
Dir::State::status "$work/status";
Dir::Cache "cache";
Dir::Bin::methods "$work/root/usr/lib/apt/methods";
APT::Sandbox::User "root";
Acquire::Languages "none";
CONF
tool() { LD_LIBRARY_PATH=$libraries "root/usr/bin/$1" "${@:2}"; }

tool apt-get --version | sed -n 1p
echo 'the priority of "tested" is 900, that of "released" 100'
failed=0
fetched() { # NAME EXPECTED-REPOSITORY
  local priority place
  priority=$(tool apt-cache policy "$1" 2> /dev/null | sed -n 's/^ *1 \([0-9]*\)$/\1/p' | sort -n | tail -n 1)
  place=$(tool apt-get install --yes --print-uris "$1" 2> said | grep "^'" | cut -d "'" -f 2)
  place=${place#"file:$work/"}
  echo "  $1: version 1 has priority $priority; fetched is $place; $(grep -o 'Sources disagree on hashes' said || echo 'no warning')"
  [ "$priority" = 900 ] && [ "${place%%/*}" = "$2" ] || failed=1
}
for order in 'released tested' 'tested released'; do
  echo "sources.list: $order"
  for repository in $order; do echo "deb [trusted=yes] file:$work/$repository ./"; done > etc/sources.list
  tool apt-get -qq update > log 2>&1 || { cat log; exit 1; }
  fetched equal "${order%% *}"
  fetched longer tested
done
exit "$failed"
