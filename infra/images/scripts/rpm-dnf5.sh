# dnf5 in the place of dnf, as on RPM distributions that have it.
set -eu
export DEBIAN_FRONTEND=noninteractive
# rpm's debug information needs eu-strip, which nothing brings along there.
apt-get -q -y --no-install-recommends install dnf5 elfutils
apt-get -q -y purge --auto-remove dnf
apt-get clean
ln -sf dnf5 /usr/bin/dnf
# Debian's plugin keeps what was installed as a repository: without createrepo_c dnf fails after all is done.
printf '[main]\nname = local\nenabled = 0\n' > /etc/dnf/libdnf5-plugins/local.conf
