#!/usr/bin/env bash
# git 1:2.39.5-0+deb12u3 (Debian 12): what git does when its ssh ends with 255 though everything was transferred, as
# OpenSSH does when a server closes the channel before it has sent the exit status of the command.
# `fetch --quiet` ends with 1 without a word and moves no ref; the same command again ends with 0 and moves them, though
# ssh ends with 255 again. `push` ends with 1 and "failed to push some refs", though the server has moved the branch and
# `--porcelain` says so in the line before.
set -euo pipefail

version=1:2.39.5-0+deb12u3
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
cd -- "$work"
chmod 755 .
mkdir none
apt-get -qq -o APT::Sandbox::User=root download "git=$version"
dpkg-deb -x ./git_*.deb root
export GIT_EXEC_PATH=$work/root/usr/lib/git-core PATH=$work/root/usr/bin:$PATH
export GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null GIT_TEMPLATE_DIR=$work/none
export GIT_AUTHOR_NAME=A GIT_AUTHOR_EMAIL=a@example.com GIT_COMMITTER_NAME=A GIT_COMMITTER_EMAIL=a@example.com

# Runs the command of the server here, to its end; only its exit status is lost.
printf '#!/bin/sh\nfor last; do :; done\nsh -c "$last"\nexit 255\n' > ssh
chmod +x ssh
export GIT_SSH_COMMAND=$work/ssh GIT_SSH_VARIANT=ssh
git init --quiet --bare server.git
git init --quiet --bare client.git
commit=$(git --git-dir=client.git commit-tree -m start "$(git --git-dir=client.git mktree </dev/null)")
url=ssh://server$work/server.git

dpkg-deb -f ./git_*.deb Package Version
echo '$ git push --porcelain'
status=0
said=$(git --git-dir=client.git push --porcelain "$url" "$commit:refs/heads/main" 2>&1) || status=$?
echo "${said//$work/…}"
echo "exit status $status; the server's branch is at $(git --git-dir=server.git rev-parse --short refs/heads/main)"
[ "$status" = 1 ] && grep -q '^error: failed to push some refs' <<<"$said"
grep -qP "^\*\t$commit:refs/heads/main\t" <<<"$said"
[ "$(git --git-dir=server.git rev-parse refs/heads/main)" = "$commit" ]

git init --quiet --bare other.git
fetch() { git --git-dir=other.git fetch --quiet "$url" '+refs/heads/*:refs/heads/*' 2>&1; }
for time in first second; do
  echo "\$ git fetch --quiet, the $time time"
  status=0
  said=$(fetch) || status=$?
  refs=$(git --git-dir=other.git for-each-ref | wc -l)
  echo "exit status $status, said \"$said\", refs: $refs"
  [ "$said" = '' ]
  case $time in
    first) [ "$status" = 1 ] && [ "$refs" = 0 ] ;;
    second) [ "$status" = 0 ] && [ "$refs" = 1 ] ;;
  esac
done
