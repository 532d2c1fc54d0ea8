# dnf5 in the place of dnf, as on RPM distributions that have it.
set -eu
export DEBIAN_FRONTEND=noninteractive
apt-get -q -y --no-install-recommends install dnf5
apt-get -q -y purge --auto-remove dnf
apt-get clean
ln -sf dnf5 /usr/bin/dnf
