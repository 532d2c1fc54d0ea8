#!/usr/bin/env bash
# git 1:2.39.5-0+deb12u3 (Debian 12): the default merge strategy (ort) looks for renames though `merge.renames` is false,
# or `-X no-renames` is given, without a word; the manual says that detection is off then. `merge-tree --write-tree` and
# `merge` do so alike; `-s recursive` obeys. So a state that git merges cleanly may be a conflict for a server that knows
# no renames, and no setting makes merge-tree say so before.
set -euo pipefail

version=1:2.39.5-0+deb12u3
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
cd -- "$work"
chmod 755 .
apt-get -qq -o APT::Sandbox::User=root download "git=$version"
dpkg-deb -x ./git_*.deb root
export GIT_EXEC_PATH=$work/root/usr/lib/git-core GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null
git() { "$work/root/usr/bin/git" -c user.name=Ada -c user.email=ada@example.org -c init.defaultBranch=main "$@"; }
git --version

git init --quiet tree
cd tree
seq 40 > old
git add old
git commit --quiet -m base
git branch edited
git mv old new
git commit --quiet -m 'rename old to new'
git checkout --quiet edited
sed -i 's/^20$/twenty/' old
git commit --quiet -a -m 'edit old'
git checkout --quiet main

tree=$(git merge-tree --write-tree main edited)
echo "renames looked for: $(git ls-tree --name-only "$tree")"
for setting in merge.renames=false diff.renames=false; do
  off=$(git -c "$setting" merge-tree --write-tree main edited)
  echo "-c $setting merge-tree: $(git ls-tree --name-only "$off")"
  [ "$off" = "$tree" ]
done

try() { # OPTIONS...
  git checkout --quiet -B try main
  local status=0
  git merge "$@" -m merged edited > said 2>&1 || status=$?
  echo "merge $*: exit status $status, $(grep -m1 CONFLICT said || echo "$(git ls-files) merged")"
  git merge --abort 2> /dev/null || true
  return "$status"
}
try --quiet -X no-renames
! try -s recursive -X no-renames
grep -q '^CONFLICT (modify/delete): old deleted' said
