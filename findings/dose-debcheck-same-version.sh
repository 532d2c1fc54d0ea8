#!/usr/bin/env bash
# dose-distcheck 7.0.0 (Debian 12): of a package that stands in two lists with the same version, `dose-debcheck` judges the
# one that nobody asked about. With `--fg` and `--bg` that of the background counts, in whichever order the two are given:
# a rebuilt package that cannot be installed passes, and is counted as one of the foreground. Without them that of the
# first list counts. The manual says that the last one counts, and that a warning is given; there is none, and within one
# list the last one does count.
set -euo pipefail

version=7.0.0-1+b2
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
cd -- "$work"
chmod 755 .
apt-get -qq -o APT::Sandbox::User=root download "dose-distcheck=$version"
dpkg-deb -x ./dose-distcheck_*.deb root

printf '%s\n' 'Package: app' 'Version: 1' 'Architecture: all' '' > sound
printf '%s\n' 'Package: app' 'Version: 1' 'Architecture: all' 'Depends: missing' '' > broken
cat sound broken > sound-broken
cat broken sound > broken-sound

failed=0
check() { # EXPECTED-STATUS OPTIONS...
  local expected=$1 status=0 said
  shift
  said=$(root/usr/bin/dose-debcheck --verbose --deb-native-arch=amd64 "$@" 2>&1) || status=$?
  echo "\$ dose-debcheck $*: exit status $status, $(grep -E '^(foreground|broken)-packages' <<< "$said" | paste -sd ' '), warnings: $(grep -c '^(W)' <<< "$said" || true)"
  [ "$status" = "$expected" ] && ! grep -q '^(W)' <<< "$said" || failed=1
}
dpkg-deb -f ./dose-distcheck_*.deb Package Version
check 0 --fg=broken --bg=sound
check 0 --bg=sound --fg=broken
check 1 --fg=sound --bg=broken
check 1 broken sound
check 0 sound broken
check 1 sound-broken
check 0 broken-sound
exit "$failed"
