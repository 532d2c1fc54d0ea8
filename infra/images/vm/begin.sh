# Run by cloud-init at the first start of a disk of somebody else's: makes its system a virtual machine that Sluice can
# drive, as setup.sh makes Sluice's own. What is wrong is said on the console, which the preparation shows.
set -eu
exec 2> /dev/ttyS0
here=$(dirname "$0")
say() {
  echo "sluice: $*" >&2
}
trap '[ $? = 0 ] || say "this system cannot be made a machine"' EXIT
for program in systemctl perl ip setpriv /usr/sbin/sshd; do
  command -v $program > /dev/null || { say "there is no $program in this image"; exit 1; }
done
sh "$here/setup.sh" / "$here/guest" "$here/keys"
# Its archives are those that the machine will reach.
if [ -s "$here/sources" ]; then
  rm -f /etc/apt/sources.list.d/*
  cp "$here/sources" /etc/apt/sources.list
  cp "$here/apt.conf" /etc/apt/apt.conf.d/99sluice
  cp "$here/preferences" /etc/apt/preferences.d/sluice
fi
# Cables, addresses and names are given from outside, to each machine that is restored.
managers='networking.service NetworkManager.service NetworkManager-wait-online.service dhcpcd.service
  systemd-networkd.socket systemd-networkd.service systemd-networkd-wait-online.service'
systemctl stop -q $managers ssh.service ssh.socket sshd.service systemd-timesyncd.service chronyd.service fstrim.timer \
  apt-daily.timer apt-daily-upgrade.timer dnf-makecache.timer dnf5-makecache.timer dnf-automatic.timer \
  'getty@*' 'serial-getty@*' 2> /dev/null || true
systemctl mask -q $managers
for number in 0 1; do
  printf '[Match]\nMACAddress=52:54:00:00:00:0%s\n[Link]\nName=eth%s\n' $((number + 1)) $number \
    > /etc/systemd/network/00-sluice-eth$number.link
  ip addr flush dev eth$number
done
touch /etc/cloud/cloud-init.disabled
systemctl start --no-block sluice-ssh@control.service sluice-ssh@person.service
umount -l "${here%/*}"
