# Run by mmdebstrap when the packages are in place, and by begin.sh: makes the system in $1 a virtual machine that Sluice
# can drive.
set -eu
root=$1
guest=$2
keys=$3
mkdir -p "$root/etc/sluice" "$root/usr/lib/sluice"
for program in serve prepare run renew quiet; do
  install -m 755 "$guest/$program" "$root/usr/lib/sluice/$program"
done
install -m 644 "$guest/sshd_config" "$root/etc/sluice/sshd_config"
install -m 644 "$guest/sluice-ssh@.service" "$root/etc/systemd/system/sluice-ssh@.service"
install -m 600 "$keys/machine" "$root/etc/sluice/host_key"
install -m 600 "$keys/client.pub" "$root/etc/sluice/authorized_keys"
chroot "$root" systemctl enable -q sluice-ssh@control.service sluice-ssh@person.service
# Not every system has all of these.
for unit in ssh.service ssh.socket sshd.service chronyd.service fstrim.timer \
  apt-daily.timer apt-daily-upgrade.timer dnf-makecache.timer dnf5-makecache.timer dnf-automatic.timer; do
  chroot "$root" systemctl disable -q $unit 2> /dev/null || true
done
chroot "$root" systemctl mask -q getty@tty1.service serial-getty@ttyS0.service systemd-timesyncd.service e2scrub_reap.service getty.target
printf 'sluice\n' > "$root/etc/hostname"
printf '127.0.0.1 localhost\n' > "$root/etc/hosts"
[ ! -d "$root/etc/dpkg" ] || printf 'force-unsafe-io\n' > "$root/etc/dpkg/dpkg.cfg.d/sluice"
