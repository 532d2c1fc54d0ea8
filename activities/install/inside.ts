import { rpathFunction } from './rpath.ts';

/**
 * Scripts that run on the node, where only a POSIX shell can be relied on. Each says one finding a line and is
 * silent when all is well.
 */

/** Lists the files of package $2 in format $1 that the node was to have: images may leave documentation out. */
const listing = `
list() {
  case $1 in
    deb)
      skip='^$'
      ! grep -qsr path-exclude /etc/dpkg/dpkg.cfg /etc/dpkg/dpkg.cfg.d || skip='^/usr/share/(doc|man|info|locale|lintian)/'
      dpkg -L "$2" | sed -nE "\\#$skip#d; \\#^/#p" ;;
    rpm) rpm -q --qf '[%{FILESTATES:fstate} %{FILEFLAGS:fflags}: %{FILENAMES}\\n]' "$2" |
      sed -n '/^normal [a-z]*g[a-z]*:/d; s/^normal[^:]*: //p' ;;
  esac
}
`;

/**
 * Every file is there, every link leads somewhere, every program finds its libraries, and looks for none in the
 * directory that it happens to be started in. Debugging symbols are no programs.
 */
export const integrityScript = `#!/bin/sh
${listing}${rpathFunction}
list "$1" "$2" | while IFS= read -r path; do
  if [ -L "$path" ] && [ ! -e "$path" ]; then
    echo "$path is a link to $(readlink "$path"), which is not there"
  elif [ ! -e "$path" ]; then
    echo "$path is missing"
  elif [ -f "$path" ]; then
    case $path in
      */lib/debug/*) ;;
      */bin/*|*/sbin/*|*/lib*/*|*/games/*)
        if [ "$(head -c 4 "$path" | tail -c 3)" = ELF ]; then
          needs=$(ldd "$path" 2>/dev/null) && loads=yes || loads=no
          printf '%s\\n' "$needs" | grep 'not found' | sed "s|^[[:space:]]*|$path needs |"
          [ $loads = no ] || rpath "$path" | while IFS= read -r places; do
            case $places in
              :*|*::*|*:) echo "$path looks for libraries where it is started: its RPATH is $places" ;;
            esac
          done
        fi ;;
    esac
  fi
done
exit 0
`;

/**
 * Starts every program of package $2 with --version, then with --help. A crash is: killed by a signal, or 126 and 127,
 * which say that it cannot be started at all. A program that knows neither, or does not end by itself, is none. What
 * takes an option for the name of a file writes it into a directory that goes; what waits is not waited for twice.
 */
export const programsScript = `#!/bin/sh
${listing}
export HOME=/tmp/sluice-home PAGER=cat
mkdir -p "$HOME" && cd "$HOME" || exit 1
list "$1" "$2" | while IFS= read -r path; do
  case $path in
    /bin/*|/sbin/*|/usr/bin/*|/usr/sbin/*|/usr/games/*) ;;
    *) continue ;;
  esac
  [ -f "$path" ] && [ -x "$path" ] || continue
  for option in --version --help; do
    # In a group, so that a shell's own word on a killed program goes nowhere.
    { timeout -s KILL 20 "$path" $option </dev/null >/tmp/sluice-said 2>&1; } 2>/dev/null
    code=$?
    # 137 is our own patience; everything else from 126 on but usage-like codes is a crash.
    case $code in
      137) break ;;
      126|127) echo "$path $option cannot be started: $(tail -n 1 /tmp/sluice-said)"; break ;;
      129|13[0-689]|14[0-9]|15[0-9]) echo "$path $option was killed by signal $((code - 128))"; break ;;
    esac
  done
done
rm -rf "$HOME" /tmp/sluice-said
exit 0
`;

/**
 * Takes down, beside itself, the files on the node's own file system (specs seldom own every directory), but not what a package
 * manager or a program at work may leave: `known`, `also-known` (besides those that are), or `came`, those of them alone that are
 * not known. Then it runs what its other arguments call. `left` prints which of what came is still there.
 */
export const filesScript = `#!/bin/sh
set -e
cd "\${0%/*}"
list() {
  LC_ALL=C find / -xdev -type d \\( -path /proc -o -path /sys -o -path /dev -o -path /run -o -path /tmp -o -path /var/tmp \\
    -o -path /root -o -path /var/cache -o -path /var/log -o -path /var/lib/apt -o -path /var/lib/dpkg -o -path /var/lib/dnf \\
    -o -path /var/lib/rpm -o -path /usr/lib/sysimage -o -path /sluice \\) -prune -o ! -type d ! -path '/etc/*-' \\
    ! -path /etc/ld.so.cache -print > there
  LC_ALL=C sort -u -o "$@"
}
case $1 in
  known) list known there ;;
  also-known) list known there known ;;
  came) list there there; LC_ALL=C comm -13 known there > came ;;
  left)
    came=$(cat came)
    set -f
    IFS='
'
    for path in $came; do
      if [ -L "$path" ] || { [ -e "$path" ] && [ ! -d "$path" ]; }; then printf '%s\\n' "$path"; fi
    done ;;
esac
shift
[ $# = 0 ] || exec "$@"
`;

/** What an init system would have made on the node: the list of who is logged in, which programs write to. */
export const readyScript = `[ -e /run/utmp ] || ! grep -q ^utmp: /etc/group ||
  { : > /run/utmp && chgrp utmp /run/utmp && chmod 0664 /run/utmp; }`;

/**
 * Changes configuration files as an administrator would, by an empty line at the end, which nearly every form allows; what
 * they are then is kept for the next script.
 */
export const changeScript = `#!/bin/sh
for path; do
  if [ -f "$path" ] && [ ! -L "$path" ]; then
    echo >> "$path"
    sha256sum "$path"
  fi
done > /sluice/changed
`;

/** Names files that were changed and are there no longer: neither where they were, nor beside it as package managers have it. */
export const keptScript = `#!/bin/sh
[ -f /sluice/changed ] || exit 0
while read -r sum path; do
  sha256sum "$path"* 2>/dev/null | grep -q "^$sum " || echo "$path"
done < /sluice/changed
rm /sluice/changed
`;

/**
 * Runs a test, as $1 and its arguments, with what tests of Debian packages find where they run (autopkgtest, README.package-tests): a
 * directory of their own, and the program that has the machine started anew, `/tmp/autopkgtest-reboot MARK`. In a session of its
 * own, which that program ends: the worker does the rest.
 */
export const trialScript = `#!/bin/sh
[ -d /sluice/tmp ] || mkdir -m 1777 /sluice/tmp
cp /sluice/reboot /tmp/autopkgtest-reboot
rm -f /sluice/marked
exec setsid --wait sh -c 'echo $$ > /sluice/session; exec "$@"' sh "$@"
`;

export const rebootScript = `#!/bin/sh
printf '%s\\n' "\${1:?usage: autopkgtest-reboot MARK}" > /sluice/marked
kill -KILL -- "-$(cat /sluice/session)"
`;

/** Says the mark of a test that wants the machine to start anew, and nothing where none does. */
export const markScript = `#!/bin/sh
[ ! -e /sluice/marked ] || head -n 1 /sluice/marked
`;
