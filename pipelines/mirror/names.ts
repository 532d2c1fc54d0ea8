/** `SET-YYYY-MM-DD-HHMMSS` in UTC for the second that holds `time` (milliseconds since the epoch). */
export function snapshotName(set: string, time: number): string {
  const [date = '', clock = ''] = new Date(time).toISOString().split('T');
  return `${set}-${date}-${clock.slice(0, 8).replaceAll(':', '')}`;
}

/** When the snapshot was made, in milliseconds since the epoch; null when the name is not one of this set. */
export function snapshotTime(set: string, name: string): number | null {
  if (!name.startsWith(`${set}-`)) return null;
  const match = /^(\d{4})-(\d\d)-(\d\d)-(\d\d)(\d\d)(\d\d)$/.exec(name.slice(set.length + 1));
  if (match === null) return null;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match.slice(1).map(Number);
  const time = Date.UTC(year, month - 1, day, hour, minute, second);
  return snapshotName(set, time) === name ? time : null;
}

/** The set's snapshots among names, oldest first. */
export function snapshotsOf(set: string, names: readonly string[]): string[] {
  return names.filter((name) => snapshotTime(set, name) !== null).sort();
}

/** The first name from `now` on that is taken nowhere and sorts after all there are. */
export function freeName(set: string, now: number, taken: readonly string[]): string {
  const last = snapshotsOf(set, taken).at(-1);
  const after = last === undefined ? 0 : (snapshotTime(set, last) ?? 0) + 1000;
  return snapshotName(set, Math.max(now, after));
}
