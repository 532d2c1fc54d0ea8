#!/usr/bin/env bash
# dnf 4.14.0 (Debian 12): whether a repository's `excludepkgs=NAME-VERSION` leaves that package out depends on what other
# repositories hold. As soon as any of them has a package that is *called* so (python-3, lua-5.4: names with a number),
# the words mean that one; it is looked for in the repository that excludes, is not there, and what was excluded before
# is offered again, without a word. Written `NAME-EPOCH:VERSION-RELEASE.ARCH`, which no package can be called, it stays out.
# That a version may stand there at all is from rpm-software-management/dnf's pull request 701.
set -euo pipefail

version=4.14.0-3+deb12u1
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
cd -- "$work"
apt-get install -qq --yes --no-install-recommends createrepo-c=0.17.3-2 "dnf=$version" rpm > installing 2>&1

package() { # REPOSITORY NAME VERSION
  mkdir -p "$1"
  printf '%s\n' "Name: $2" "Version: $3" 'Release: 1' "Summary: $2" 'License: MIT' 'BuildArch: noarch' '%description' "$2" \
    '%files' > "$2.spec"
  rpmbuild -bb --quiet --define "_topdir $work/top" --define "_rpmdir $work/$1" "$2.spec" > /dev/null 2>&1
}
package released lua 5
package released tool 1
package plain other 1
package named lua-5 1
for repository in released plain named; do createrepo_c --quiet "$repository"; done

failed=0
offered() { # EXPECTED-COUNT SECOND-REPOSITORY EXCLUSION
  local seen
  seen=$(dnf --quiet --setopt=reposdir=/nowhere --setopt=cachedir="$work/cache" --releasever=1 --nogpgcheck \
    --repofrompath="released,file://$work/released" --repofrompath="$2,file://$work/$2" \
    --setopt="released.excludepkgs=$3" repoquery --queryformat='%{repoid}: %{name}-%{evr}' 2> said | paste -sd ' ')
  echo "released.excludepkgs=$3, beside it \"$2\": $seen"
  [ "$(grep -c 'released: lua-5-1' <<< "$seen" || true)" = "$1" ] && grep -q 'released: tool-1-1' <<< "$seen" || failed=1
}
dnf --version | sed -n 1p
offered 0 plain lua-5
offered 1 named lua-5
offered 0 named lua-0:5-1.noarch
exit "$failed"
