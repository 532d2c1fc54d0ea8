#!/usr/bin/env bash
# git-lfs 3.3.0 (Debian 12): whether `git lfs push --all` sends to a repository on the same disk depends on how that is
# named. As a remote's URL, or with `file://`, its path is taken; the same path given on the command line, as `git push`
# takes it, is a URL without a protocol: nothing is sent, also by the hook of a `git push` to that path, which then fails.
set -euo pipefail

version=3.3.0-1+deb12u2
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
cd -- "$work"
chmod 755 .
apt-get -qq -o APT::Sandbox::User=root download "git-lfs=$version"
dpkg-deb -x ./git-lfs_*.deb root
export HOME=$work PATH=$work/root/usr/bin:$PATH GIT_CONFIG_NOSYSTEM=1
export GIT_AUTHOR_NAME=A GIT_AUTHOR_EMAIL=a@example.org GIT_COMMITTER_NAME=A GIT_COMMITTER_EMAIL=a@example.org
git-lfs version

git init -q -b main from
cd from
git lfs install --local > /dev/null
git lfs track '*.bin' > /dev/null
echo content > a.bin
git add -A
git commit -q -m 'A file in LFS'

failed=0
send() { # EXPECTED-OBJECTS COMMAND…
  local expected=$1 status=0 objects said
  shift
  rm -rf "$work/to.git"
  git init -q --bare -b main "$work/to.git"
  said=$("$@" 2>&1) || status=$?
  objects=$(find "$work/to.git" -path "*/lfs/objects/*" -type f | wc -l)
  echo "\$ ${*//"$work"/…}: exit status $status, objects there: $objects $(grep -m 1 -o 'missing protocol.*' <<< "$said" || true)"
  [ "$objects" = "$expected" ] || failed=1
}
send 0 git lfs push --all "$work/to.git"
send 0 git push -q "$work/to.git" main
send 1 git lfs push --all "file://$work/to.git"
git remote add there "$work/to.git"
send 1 git lfs push --all there
exit "$failed"
