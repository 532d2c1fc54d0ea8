#!/usr/bin/env bash
# dnf 4.14.0 with dnf-plugins-core 4.3.1 (Debian 12): `dnf repoclosure`, by its manual a check of all dependencies, counts a
# rich one as met where dnf itself says that nothing provides it: one part of `and` is enough, and `if … else` is met by its
# first part though the condition does not hold. It ends with 0 for such a repository. `(absent if gone)`, which asks for
# nothing where there is no "gone", it calls unresolved (that much is dnf-plugins-core's issue 549). So who gates a
# repository by repoclosure lets packages pass that cannot be installed, and stops others that can.
set -euo pipefail

version=4.14.0-3+deb12u1 plugins=4.3.1-3
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
cd -- "$work"
chmod 755 .
apt-get install -qq --yes --no-install-recommends createrepo-c=0.17.3-2 "dnf=$version" rpm > installing 2>&1
apt-get -qq -o APT::Sandbox::User=root download "dnf-plugins-core=$plugins"
dpkg-deb -x ./dnf-plugins-core_*.deb root
mkdir plugins
cp root/usr/lib/python3/dist-packages/dnf-plugins/repoclosure.py plugins
export PYTHONPATH=$work/root/usr/lib/python3/dist-packages

package() { # REPOSITORY NAME [REQUIREMENT]
  printf '%s\n' "Name: $2" 'Version: 1' 'Release: 1' "Summary: $2" 'License: MIT' 'BuildArch: noarch' ${3:+"Requires: $3"} \
    '%description' "$2" '%files' > "$2.spec"
  rpmbuild -bb --quiet --define "_topdir $work/top" --define "_rpmdir $work/$1" "$2.spec" > /dev/null 2>&1
}
ask() { # REPOSITORY COMMAND...
  dnf --quiet --setopt=reposdir=/nowhere --setopt=cachedir="$work/cache" --setopt=pluginpath="$work/plugins" --releasever=1 \
    --nogpgcheck --installroot="$work/empty" --repofrompath="$1,file://$work/$1" "${@:2}" < /dev/null
}

failed=0 count=0
try() { # REQUIREMENT EXPECTED-STATUS EXPECTED-OF-DNF
  local status=0 answer=installs
  count=$((count + 1))
  for name in one two; do package "repo$count" "$name"; done
  package "repo$count" tool "$1"
  createrepo_c --quiet "repo$count"
  ask "repo$count" repoclosure > closure 2>&1 || status=$?
  ask "repo$count" --assumeno install tool > installing 2>&1 || true
  if grep -q 'nothing provides .* needed by tool-1-1.noarch' installing; then
    answer=refuses
  else
    grep -q 'Operation aborted' installing || failed=1
  fi
  echo "one, two, and tool, which requires $1: repoclosure ends with $status; dnf $answer"
  [ "$status" = "$2" ] && [ "$answer" = "$3" ] || failed=1
}
dnf --version | sed -n 1p
try '(one and two)' 0 installs
try 'absent' 1 refuses
try '(absent or gone)' 1 refuses
try '(one and absent)' 0 refuses
try '((one or absent) and gone)' 0 refuses
try '(two if absent else gone)' 0 refuses
try '(absent if gone)' 1 installs
exit "$failed"
