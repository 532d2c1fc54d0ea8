# DEB packages: the build tools, the checker, the indexer.
set -eu
export DEBIAN_FRONTEND=noninteractive
apt-get -q -y --no-install-recommends install debhelper dh-autoreconf devscripts equivs lintian apt-utils
apt-get clean
