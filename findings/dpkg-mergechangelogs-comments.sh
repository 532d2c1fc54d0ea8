#!/usr/bin/env bash
# dpkg 1.21.23 (Debian 12): dpkg-mergechangelogs leaves lines out that all three changelogs have, and ends with 0.
# Its parser passes over comments (`# …`, `/* … */`) and keywords of version control (`$Id$`) wherever they stand between
# or behind entries, and what it writes is made of what it has parsed. A last line for an editor stays or goes by how it
# is written: `vim: …` stays, `# vim: …` does not.
set -euo pipefail

version=1.21.23
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
cd -- "$work"
chmod 755 .
for package in libdpkg-perl dpkg-dev; do
  apt-get -qq -o APT::Sandbox::User=root download "$package=$version"
  dpkg-deb -x ./"$package"_*.deb root
done
merge() { perl -Iroot/usr/share/perl5 root/usr/bin/dpkg-mergechangelogs "$@"; }

entry() { # VERSION YEAR
  printf 'alpha (%s) unstable; urgency=medium\n\n  * Change.\n\n -- A Packager <a@example.org>  %s\n' "$1" "$2"
}
merged() { # LINE: once between two entries, once behind the last
  printf '%s\n\n%s\n\n%s\n\n%s\n' "$(entry 1.0-2 'Sun, 01 Jan 2023 10:00:00 +0000')" "$1" \
    "$(entry 1.0-1 'Sat, 01 Jan 2022 10:00:00 +0000')" "$1" > old
  { entry 1.0-3 'Mon, 02 Jan 2023 10:00:00 +0000'; echo; cat old; } > ours
  { entry 1.0-4 'Tue, 03 Jan 2023 10:00:00 +0000'; echo; cat old; } > theirs
  merge old ours theirs result
  echo "exit status $?: $(grep -cF -- "$1" result || true) of 2 kept: $1"
}

merge --version | sed -n 1p
seen=$(
  merged '# imported from another tree'
  merged '$Id: changelog 17 2023-01-01 $'
  merged '# vim: set textwidth=78:'
)
echo "$seen"
[ "$seen" = "$(printf 'exit status 0: 0 of 2 kept: %s\n' '# imported from another tree' '$Id: changelog 17 2023-01-01 $' '# vim: set textwidth=78:')" ]
printf '%s\n\nvim: set textwidth=78:\n' "$(entry 1.0-1 'Sat, 01 Jan 2022 10:00:00 +0000')" > old
cp old ours
cp old theirs
merge old ours theirs result
echo "without the #: $(tail -1 result)"
[ "$(tail -1 result)" = 'vim: set textwidth=78:' ]
