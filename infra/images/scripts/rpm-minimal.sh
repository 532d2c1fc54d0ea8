# rpm and dnf on Debian, at the paths that RPM distributions use.
set -eu
export DEBIAN_FRONTEND=noninteractive
apt-get -q -y --no-install-recommends install rpm dnf
apt-get clean
# Debian's loader does not look into %{_libdir}.
printf '/usr/lib64\n/lib64\n' > /etc/ld.so.conf.d/zz-sluice-rpm.conf
mkdir -p /usr/lib64 /etc/rpm /etc/dnf /etc/yum.repos.d /var/lib/rpm
cat > /etc/rpm/macros.sluice <<'MACROS'
%_dbpath /var/lib/rpm
%_buildshell /bin/bash
%rpmmacrodir /usr/lib/rpm/macros.d
%_rpmluadir /usr/lib/rpm/lua
MACROS
rpm --initdb
