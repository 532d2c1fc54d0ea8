# The plain system: a released Debian with nothing but APT.
set -eu
export DEBIAN_FRONTEND=noninteractive
printf 'force-unsafe-io\n' > /etc/dpkg/dpkg.cfg.d/sluice
# A container has no services to start.
printf '#!/bin/sh\nexit 101\n' > /usr/sbin/policy-rc.d
chmod 755 /usr/sbin/policy-rc.d
mkdir -p /build
apt-get -q update
