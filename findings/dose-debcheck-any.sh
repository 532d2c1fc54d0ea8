#!/usr/bin/env bash
# dose-distcheck 7.0.0 (Debian 12): `dose-debcheck` does not look at the version of a dependency on `NAME:any`, nor at whether
# the package allows such a dependency by `Multi-Arch: allowed`. A program that needs `python3:any (>= 3.12)`, which is how
# dh_python3 writes it, passes beside python3 3.11; apt refuses it. The manual says that multi-arch annotations are considered
# correctly; `dose-builddebcheck` does the same to build dependencies. A check of a repository thus says that all can be
# installed when nothing can be that needs a newer interpreter.
set -euo pipefail

version=7.0.0-1+b2
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
cd -- "$work"
chmod 755 .
for package in dose-distcheck dose-builddebcheck; do
  apt-get -qq -o APT::Sandbox::User=root download "$package=$version"
  dpkg-deb -x ./"$package"_*.deb root
done

package() { # NAME VERSION [FIELD]
  printf '%s\n' "Package: $1" "Version: $2" 'Architecture: amd64' 'Maintainer: A <a@example.org>' 'Description: a package' \
    "Filename: ./$1.deb" 'Size: 1' "SHA256: $(printf %064d 0)" ${3:+"$3"} ''
}
mkdir -p apt/{etc,state/lists/partial,cache/archives/partial}
touch status
echo "deb [trusted=yes] file:$work ./" > apt/etc/sources.list
ask() {
  apt-get -qq -o Dir::Etc="$work/apt/etc" -o Dir::State="$work/apt/state" -o Dir::Cache="$work/apt/cache" \
    -o Dir::State::status="$work/status" -o APT::Architecture=amd64 -o APT::Architectures=amd64 -o APT::Sandbox::User=root \
    -o Acquire::Languages=none "$@"
}

failed=0
try() { # DEPENDENCY EXPECTED-OF-DEBCHECK EXPECTED-OF-BUILDDEBCHECK EXPECTED-OF-APT
  local check=0 build=0 apt=0
  {
    package allowed 3.11 'Multi-Arch: allowed'
    package closed 3.11
    package build-essential 1
    package tool 1 "Depends: $1"
  } > Packages
  printf '%s\n' 'Package: source' 'Version: 1' 'Architecture: any' "Build-Depends: $1" '' > Sources
  root/usr/bin/dose-debcheck --deb-native-arch=amd64 Packages > /dev/null 2>&1 || check=$?
  root/usr/bin/dose-builddebcheck --deb-native-arch=amd64 Packages Sources > /dev/null 2>&1 || build=$?
  ask update
  ask --simulate install tool > /dev/null 2>&1 || apt=$?
  echo "$1: dose-debcheck ends with $check, dose-builddebcheck with $build, apt-get with $apt"
  [ "$check $build $apt" = "$2 $3 $4" ] || failed=1
}
dpkg-deb -f ./dose-distcheck_*.deb Package Version
apt-get --version | sed -n 1p
echo 'allowed 3.11 is Multi-Arch: allowed, closed 3.11 says nothing of it'
try 'allowed (>= 3.11)' 0 0 0
try 'allowed (>= 3.12)' 1 1 100
try 'allowed:any (>= 3.11)' 0 0 0
try 'allowed:any (>= 3.12)' 0 0 100
try 'closed:any' 0 0 100
try 'absent:any' 1 1 100
exit "$failed"
