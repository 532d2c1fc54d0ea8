# Ansible beside the build tools: for jobs that run playbooks.
set -eu
export DEBIAN_FRONTEND=noninteractive
apt-get -q -y --no-install-recommends install ansible-core
apt-get clean
