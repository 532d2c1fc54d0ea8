#!/usr/bin/env bash
# libsolv-tools 0.7.23-1+deb12u1 (Debian 12): `installcheck` compares the versions of an RPM repository as dpkg does.
# By rpm's rules 1^git1 is older than 1.1, so the dependency below holds; installcheck says that nothing provides it.
# `testsolv`, from the same package, told that the system is an RPM one, finds it.
set -euo pipefail

version=0.7.23-1+deb12u1
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
cd -- "$work"
chmod 755 .
apt-get -qq -o APT::Sandbox::User=root download "libsolv-tools=$version" "libsolv1=$version" "libsolvext1=$version"
for package in ./*.deb; do dpkg-deb -x "$package" root; done
libraries=$(dirname -- "$(find root -name 'libsolv.so.1' | head -n 1)")
tool() { LD_LIBRARY_PATH=$libraries "root/usr/bin/$1" "${@:2}"; }

package() { # NAME VERSION REQUIRES
  cat <<XML
<package type="rpm"><name>$1</name><arch>noarch</arch><version epoch="0" ver="$2" rel="1"/>
<checksum type="sha256" pkgid="YES">$(printf %s "$1" | sha256sum | cut -c1-64)</checksum><summary>$1</summary>
<location href="$1.rpm"/><format><rpm:provides><rpm:entry name="$1" flags="EQ" epoch="0" ver="$2" rel="1"/></rpm:provides>
$3</format></package>
XML
}
needs='<rpm:requires><rpm:entry name="lib" flags="LT" epoch="0" ver="1.1"/></rpm:requires>'
{
  echo '<?xml version="1.0" encoding="UTF-8"?>'
  echo '<metadata xmlns="http://linux.duke.edu/metadata/common" xmlns:rpm="http://linux.duke.edu/metadata/rpm" packages="2">'
  package lib '1^git1' ''
  package user 1 "$needs"
  echo '</metadata>'
} > primary.xml
gzip -9n primary.xml

echo "libsolv-tools $version"
echo '$ installcheck noarch primary.xml.gz'
status=0
said=$(tool installcheck noarch primary.xml.gz) || status=$?
echo "$said"
echo "exit status $status"
grep -q 'nothing provides lib << 1.1 needed by user-1-1.noarch' <<<"$said" && [ "$status" = 1 ]

gzip -dc primary.xml.gz | tool rpmmd2solv > all.solv
printf 'system noarch rpm\nrepo all 0 solv all.solv\njob install name user\nresult transaction,problems\n' > case.t
echo '$ testsolv -r case.t'
result=$(tool testsolv -r case.t 2>&1 || true)
echo "$result"
grep -q 'install lib-1^git1-1.noarch@all' <<<"$result"
