#!/usr/bin/env bash
# git 2.39.5 (Debian 12): what `git merge-tree --write-tree` makes of two commits depends on what is checked out where it
# runs. The merge driver of a file is looked up in the `.gitattributes` of the work tree and the index, not in the commits
# that are merged: the same two are merged where a branch with the attribute is checked out, and in conflict where another
# one is, and in a bare repository, which has neither.
set -euo pipefail

version=1:2.39.5-0+deb12u3
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
cd -- "$work"
chmod 755 .
apt-get -qq -o APT::Sandbox::User=root download "git=$version"
dpkg-deb -x ./git_*.deb root
export GIT_EXEC_PATH=$work/root/usr/lib/git-core
git() { "$work/root/usr/bin/git" "$@"; }

git --version
git init --quiet --initial-branch=older repo
git -C repo config user.name A
git -C repo config user.email a@example.org
commit() { # FILE LINE
  echo "$2" >> "repo/$1"
  git -C repo add .
  git -C repo commit --quiet --message "$2"
}
commit list first
git -C repo switch --quiet --create ours
commit .gitattributes 'list merge=union'
git -C repo switch --quiet --create theirs
commit list second
git -C repo switch --quiet ours
commit list third
git clone --quiet --bare repo bare

failed=0
try() { # WHERE REPOSITORY EXPECTED-STATUS
  local status=0 said
  said=$(git -C "$2" merge-tree --write-tree ours theirs) || status=$?
  echo "$1: exit status $status; $(grep '^CONFLICT' <<< "$said" || echo "tree $said")"
  [ "$status" = "$3" ] || failed=1
}
try 'ours checked out' repo 0
git -C repo switch --quiet older
try 'older checked out' repo 1
try 'bare' bare 1
exit "$failed"
