# What Debian 12's smallest system has and later ones leave out, though every installation has it.
set -eu
export DEBIAN_FRONTEND=noninteractive
apt-get -q -y --no-install-recommends install passwd
apt-get clean
