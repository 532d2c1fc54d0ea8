/** What is run on a machine that has nothing of ours: POSIX shell, as root. */

/** Makes the group of all that is run from outside, and prints where it is. */
export const findGroup = `set -u
while read -r _ root type _; do
  [ "$type" = cgroup2 ] || continue
  mkdir "$root/sluice" 2> /dev/null || [ -d "$root/sluice" ] || continue
  [ -w "$root/sluice/cgroup.kill" ] || continue
  { echo 4096 > "$root/sluice/pids.max"; } 2> /dev/null
  echo "$root/sluice"
  exit 0
done < /proc/self/mounts
echo 'programs cannot be ended there: that needs control groups of version 2, and Linux 5.14'
exit 1`;

/** \`GROUP USER DIRECTORY [NAME=VALUE...] PROGRAM [ARGUMENT...]\` */
export const runInGroup = `set -eu
echo $$ > "$1/cgroup.procs"
user=$2
directory=$3
shift 3
home=$(getent passwd "$user" | cut -d: -f6)
set -- env -i -C "$directory" PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME="\${home:-/}" "$@"
[ "$user" = root ] && exec "$@"
exec setpriv --reuid "$user" --regid "$(id -g "$user")" --init-groups "$@"`;

/** \`GROUP\` */
export const endGroup = 'echo 1 > "$1/cgroup.kill"';

/** Ends all in \`GROUP\`, and waits until nothing of it is left. */
export const emptyGroup = `set -u
for round in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
  [ "$round" = 1 ] || sleep 0.2
  echo 1 > "$1/cgroup.kill"
  grep -qx 'populated 0' "$1/cgroup.events" && exit 0
done
while read -r pid; do cat "/proc/$pid/comm"; done < "$1/cgroup.procs" 2> /dev/null
exit 1`;

/** Makes directories, and notes which. What is somebody's is left alone. */
export const makeScratch = `set -eu
mkdir -p /var/lib/sluice
for each; do
  if [ ! -e "$each" ]; then
    mkdir -p -- "$each"
    printf '%s\\n' "$each" >> /var/lib/sluice/made
  elif [ ! -k "$each" ] && [ -n "$(ls -A -- "$each")" ]; then
    echo "$each is there already, and not empty: jobs work in it, and it is removed after them"
    exit 1
  fi
done`;

/** \`ADDRESS NAME ...\`: writes down who is where, in the place of what was written before. */
export const writeNames = `set -eu
sed '/ # sluice$/d' /etc/hosts > /run/sluice-hosts
while [ $# -gt 1 ]; do
  echo "$1 $2 # sluice" >> /run/sluice-hosts
  shift 2
done
cat /run/sluice-hosts > /etc/hosts
rm /run/sluice-hosts`;

/** Removes what Sluice itself has put there, other than what stages install. */
export const removeOurs = `set -eu
while read -r source place type _; do
  [ "$source $type" = 'sluice tmpfs' ] || continue
  umount -- "$place"
  rmdir -- "$place"
done < /proc/self/mounts
[ ! -e /var/lib/sluice/made ] || while IFS= read -r each; do rm -rf --one-file-system -- "$each"; done < /var/lib/sluice/made
find /tmp /var/tmp -xdev -mindepth 1 -user nobody -delete 2> /dev/null || :
rm -rf --one-file-system /var/lib/sluice /opt/sluice /sluice /work-apart /run/sluice-home`;
