#!/usr/bin/env bash
# createrepo_c 0.17.3 (Debian 12): mergerepo_c loses all advisories. It finds the updateinfo of what it merges, writes one
# of its own into repomd.xml, and that has no advisory in it, whether one of the repositories or both have some. The packages
# that they are about are merged; the exit status is 0. `--noupdateinfo`, which would ask for that, is not given. Its own
# input is made with rpmbuild.
set -euo pipefail

version=0.17.3-2
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
cd -- "$work"
chmod 755 .
for package in createrepo-c libcreaterepo-c0; do
  apt-get -qq -o APT::Sandbox::User=root download "$package=$version"
  dpkg-deb -x ./"$package"_*.deb root
done
export LD_LIBRARY_PATH=$work/root/usr/lib/$(uname -m)-linux-gnu PATH=$work/root/usr/bin:$PATH
createrepo_c --version | sed -n 1p

repository() { # NAME [ADVISORY]
  mkdir "$1"
  printf '%s\n' "Name: $1" 'Version: 1' 'Release: 1' "Summary: $1" 'License: MIT' 'BuildArch: noarch' '%description' "$1" \
    '%files' > "$1.spec"
  rpmbuild -bb --quiet --define "_topdir $work/top" --define "_rpmdir $work/$1" "$1.spec" > /dev/null 2>&1
  createrepo_c -q "$1"
  [ "${2:-}" ] || return 0
  cat > updateinfo.xml <<XML
<?xml version="1.0" encoding="UTF-8"?>
<updates>
  <update from="security@example.org" status="final" type="security" version="1">
    <id>$2</id><title>$1</title><issued date="2026-01-02 00:00:00"/><references/><description>A fault.</description>
    <pkglist><collection short="x"><name>x</name>
      <package name="$1" version="1" release="1" epoch="0" arch="noarch" src="$1-1-1.src.rpm">
        <filename>$1-1-1.noarch.rpm</filename>
      </package>
    </collection></pkglist>
  </update>
</updates>
XML
  modifyrepo_c updateinfo.xml "$1/repodata" > /dev/null
}
count() { # PATTERN REPOSITORY KIND
  zcat "$2"/repodata/*-"$3".xml.gz | grep -c "$1" || true
}

repository one EX-1
repository two EX-2
repository none
failed=0
for other in none two; do
  rm -rf out
  mergerepo_c --all -o out -r "$work/one" -r "$work/$other" > /dev/null 2>&1
  packages=$(count '<name>' out primary) advisories=$(count '<id>' out updateinfo) given=$(count '<id>' one updateinfo)
  [ "$other" = none ] || given=$((given + $(count '<id>' two updateinfo)))
  echo "one + $other: $packages packages; advisories: $given in what was merged, $advisories in what came of it"
  [ "$packages" = 2 ] && [ "$given" != 0 ] && [ "$advisories" = 0 ] && grep -q 'type="updateinfo"' out/repodata/repomd.xml ||
    failed=1
done
exit "$failed"
