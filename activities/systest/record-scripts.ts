/**
 * What the system has written down last, more than what is kept of it; nothing where it has no journal. A restored
 * machine began its as another one.
 */
export const journalScript = `command -v journalctl > /dev/null || exit 0
journalctl --quiet --merge --no-pager --lines=40000 --output=short-precise`;

/** The ends of the newest texts in /var/log; links are none, for they lead elsewhere. */
export const logsScript = `count=0
ls -td /var/log/* /var/log/*/* 2> /dev/null | while IFS= read -r file
do
  [ -f "$file" ] && [ ! -L "$file" ] && head -c 4096 "$file" | LC_ALL=C grep -Iq '' || continue
  echo "# $file"
  tail -c 65536 "$file"
  size=$(wc -c < "$file")
  [ "$size" -le 65536 ] || echo "(not all of it: the last 64 KiB of $size bytes)"
  count=$((count + 1))
  [ $count -lt 10 ] || break
done`;
