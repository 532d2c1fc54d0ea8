# rpm and dnf on Debian, at the paths that RPM distributions use.
set -eu
export DEBIAN_FRONTEND=noninteractive
apt-get -q -y --no-install-recommends install rpm dnf
apt-get clean
# Spec files, scriptlets and rpm's own helpers take /bin/sh for bash, which it is on RPM distributions.
ln -sf bash /bin/sh
# Debian's loader does not look into %{_libdir}.
printf '/usr/lib64\n/lib64\n' > /etc/ld.so.conf.d/zz-sluice-rpm.conf
mkdir -p /usr/lib64 /etc/rpm /etc/dnf /etc/yum.repos.d /var/lib/rpm
# As there, a unit is enabled by who administers the system, or by a preset: Debian has systemd enable all that none names.
mkdir -p /usr/lib/systemd/system-preset
printf 'disable *\n' > /usr/lib/systemd/system-preset/99-default-disable.preset
# RPM distributions' systemd has triggers that have it read units that came or went; Debian's has none.
cat > /etc/rpm/macros.sluice <<'MACROS'
%_dbpath /var/lib/rpm
%_buildshell /bin/bash
%rpmmacrodir /usr/lib/rpm/macros.d
%_rpmluadir /usr/lib/rpm/lua
%_unitdir /usr/lib/systemd/system
%_userunitdir /usr/lib/systemd/user
%_presetdir /usr/lib/systemd/system-preset
%_tmpfilesdir /usr/lib/tmpfiles.d
%_sysusersdir /usr/lib/sysusers.d
%_udevrulesdir /usr/lib/udev/rules.d
%_modulesloaddir /usr/lib/modules-load.d
%_sysctldir /usr/lib/sysctl.d
%__python3 /usr/bin/python3
%__python /usr/bin/python3
%python3_version %(/usr/bin/python3 -c "import sys; print('%d.%d' % sys.version_info[:2])")
%python3_sitelib /usr/lib/python%{python3_version}/site-packages
%python3_sitearch /usr/lib64/python%{python3_version}/site-packages
%ldconfig /sbin/ldconfig
%ldconfig_post(n:) %{nil}
%ldconfig_postun(n:) %{nil}
%ldconfig_scriptlets(n:) %{nil}
%systemd_post() if [ $1 -eq 1 ] && [ -x /usr/bin/systemctl ]; then systemctl --no-reload preset %{?*} || :; fi
%systemd_preun() if [ $1 -eq 0 ] && [ -x /usr/bin/systemctl ]; then systemctl --no-reload disable --now %{?*} || :; fi
%systemd_postun() if [ -x /usr/bin/systemctl ]; then systemctl daemon-reload || :; fi
%systemd_postun_with_restart() if [ -x /usr/bin/systemctl ]; then systemctl daemon-reload || :; \
  if [ $1 -ge 1 ]; then systemctl try-restart %{?*} || :; fi; fi
MACROS
# Dependencies on Debian's own packages are met by sluice-debian-base, with what they provide.
rpm --initdb
