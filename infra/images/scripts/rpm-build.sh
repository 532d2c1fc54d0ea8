# RPM packages: the checker, the indexer, and the index by which BuildRequires find Debian packages.
set -eu
export DEBIAN_FRONTEND=noninteractive
apt-get -q -y --no-install-recommends install rpmlint createrepo-c dnf-plugins-core

# "PATH SECTION/PACKAGE[,…]" of programs, pkg-config files, CMake packages and Perl modules of the whole archive.
lists=$(mktemp -d)
chmod 755 "$lists"
apt-get -q update \
  -o Dir::State::Lists="$lists" -o Acquire::Languages=none \
  -o 'Acquire::IndexTargets::deb::Contents::MetaKey=$(COMPONENT)/Contents-$(ARCHITECTURE)' \
  -o 'Acquire::IndexTargets::deb::Contents::ShortDescription=Contents-$(ARCHITECTURE)' \
  -o 'Acquire::IndexTargets::deb::Contents::Description=$(RELEASE)/$(COMPONENT) $(ARCHITECTURE) Contents' \
  -o Acquire::IndexTargets::deb::Contents::KeepCompressed=true
mkdir -p /usr/share/sluice
/usr/lib/apt/apt-helper cat-file "$lists"/*Contents* |
  grep -E '^(usr/)?s?bin/|/pkgconfig/[^/ ]+\.pc |/cmake/[^ ]*[cC]onfig\.cmake |^usr/(share|lib/[^/]+)/perl5?/[^ ]*\.pm ' \
  > /usr/share/sluice/debian-files
rm -rf "$lists"
apt-get clean
