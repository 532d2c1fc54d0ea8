# What a machine has besides, by the names by which RPM packages require it.
set -eu
more=$(mktemp)
printf '%s\n' 'systemd systemd' 'systemd-udev udev' 'kernel linux-image-cloud-amd64' 'kmod kmod' 'iproute iproute2' \
  'openssh-server openssh-server' | while read -r name package; do
  full=$(dpkg-query -W -f '${Version}' "$package")
  printf '%s = %s\n' "$name" "$(printf %s "$full" | sed 's/^[0-9]*://; s/-[^-]*$//; s/[^A-Za-z0-9.~^+]/_/g')"
done > "$more"
sh /usr/share/sluice/rpm-base.sh "$more"
rm "$more"
