# Makes and installs sluice-debian-base: an RPM package without files that provides what this Debian system has, so
# that rpm and dnf can resolve what compiled packages require. Run again after Debian packages were added; a file with
# more capabilities, one a line, may be given.
set -eu
more=${1:-/dev/null}
[ -e /usr/share/sluice/rpm-base.sh ] || install -D -m 644 "$0" /usr/share/sluice/rpm-base.sh
work=$(mktemp -d)
version=$(cut -d. -f1 /etc/debian_version | tr -cd '0-9a-z')

# NAME DEBIAN-PACKAGE: names that spec files require of the base system.
names='bash bash
coreutils coreutils
diffutils diffutils
findutils findutils
gawk mawk
glibc libc6
glibc-common libc-bin
grep grep
gzip gzip
hostname hostname
libgcc libgcc-s1
libstdc++ libstdc++6
ncurses-base ncurses-base
openssl-libs libssl3
pam libpam-modules
perl perl
perl-interpreter perl-base
python3 python3
rpm rpm
sed sed
setup base-files
shadow-utils passwd
tar tar
tzdata tzdata
util-linux util-linux
xz xz-utils
zlib zlib1g'

# Linker scripts end in .so too: elfdeps passes over them, and complains by its exit code.
sonames() {
  find /usr/lib -path '*-linux-gnu*' -name '*.so*' -type f | /usr/lib/rpm/elfdeps --provides || true
}

programs() {
  find -L /usr/bin /usr/sbin -maxdepth 1 -type f -perm /111 | grep -v '[^A-Za-z0-9/._+-]' |
    sed 'p; s|^/usr||'
}

modules() {
  find /usr/lib /usr/share -path '*/perl*' -name '*.pm' -type f 2>/dev/null | /usr/lib/rpm/perl.prov | grep '^perl(' || true
  if [ -x /usr/bin/python3 ]; then
    /usr/bin/python3 -c 'import sys; print("python(abi) = %d.%d" % sys.version_info[:2])'
  fi
}

pkgconfigs() {
  find /usr/lib /usr/share -path '*/pkgconfig/*.pc' | grep -v '^/usr/lib64/' | sed 's|.*/\(.*\)\.pc$|pkgconfig(\1)|'
}

packages() {
  printf '%s\n' "$names" | while read -r name package; do
    full=$(dpkg-query -W -f '${db:Status-Abbrev}${Version}' "$package" 2>/dev/null | sed -n 's/^ii *//p')
    [ -z "$full" ] || printf '%s = %s\n' "$name" "$(printf %s "$full" | sed 's/^[0-9]*://; s/-[^-]*$//; s/[^A-Za-z0-9.~^+]/_/g')"
  done
}

{
  cat <<SPEC
Name: sluice-debian-base
Version: $version
Release: $(date +%s)
Summary: What the Debian system below offers to RPM packages
License: Apache-2.0
BuildArch: noarch
Provides: system-release = $version
Provides: system-release(releasever) = $version
Provides: rtld(GNU_HASH)
Provides: filesystem, basesystem, user(root), group(root)
SPEC
  { sonames; programs; modules; packages; pkgconfigs; cat "$more"; } | sort -u | sed 's/^/Provides: /'
  cat <<'SPEC'
%description
Stands for the Debian packages that are installed beside rpm's own.
%transfiletriggerin -- /lib /lib64 /usr/lib /usr/lib64
/sbin/ldconfig
%transfiletriggerpostun -- /lib /lib64 /usr/lib /usr/lib64
/sbin/ldconfig
%files
SPEC
} > "$work/base.spec"
rpmbuild -bb --quiet --define "_topdir $work" "$work/base.spec" >/dev/null
# Debian's rpm warns that it is not Debian's package manager.
rpm -U --quiet --replacepkgs --oldpackage "$work"/RPMS/noarch/*.rpm 2>"$work/said" || { cat "$work/said" >&2; exit 1; }
rm -rf "$work"
