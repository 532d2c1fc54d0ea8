# What builds of every format need.
set -eu
export DEBIAN_FRONTEND=noninteractive
apt-get -q -y --no-install-recommends install \
  build-essential fakeroot pkg-config gpg ca-certificates autoconf automake libtool gettext
apt-get clean
useradd --home-dir /build --no-create-home --shell /bin/sh builder
