/** The time of each day in which the syncs of a set may begin. */
export interface SyncWindow {
  /** Minutes of the day in its time zone: it opens at `from`, and is shut again at `to`, which may be the next day. */
  readonly from: number;
  readonly to: number;
  readonly zone: string;
  /** As it was written. */
  readonly text: string;
}

const minute = 60_000;

/**
 * Reads `22:00-06:00 Europe/Paris`; without a time zone the times are UTC.
 *
 * @returns what is wrong with the text, where it is no window
 */
export function parseWindow(text: string): SyncWindow | string {
  const [, from = '', to = '', zone = 'UTC'] = /^(\d\d:\d\d)-(\d\d:\d\d)(?: (\S+))?$/.exec(text.trim()) ?? [];
  const window = { from: minutesOf(from), to: minutesOf(to), zone, text };
  if (!(window.from < 1440 && window.to <= 1440)) {
    return 'must be two times of the day and a time zone, such as "22:00-06:00 Europe/Paris"';
  }
  if (window.from === window.to) return 'must end at another time than it begins';
  return isZone(zone) ? window : `has an unknown time zone: ${JSON.stringify(zone)}`;
}

/**
 * When a window opens next, in milliseconds since the epoch; null while it is open. One that a change of clocks leaves
 * out does not open on that day; one that it repeats is open twice.
 *
 * @param now milliseconds since the epoch
 */
export function opensAt(window: SyncWindow, now: number): number | null {
  const clock = clockIn(window.zone);
  const isOpen = (time: number) => holds(window, clock(time));
  if (isOpen(now)) return null;
  // Clocks change at whole minutes.
  for (let time = now - (now % minute) + minute; ; time += minute) if (isOpen(time)) return time;
}

function holds({ from, to }: SyncWindow, time: number): boolean {
  return from < to ? time >= from && time < to : time >= from || time < to;
}

/** Minutes of the day at a moment in a time zone. */
function clockIn(zone: string): (time: number) => number {
  const format = new Intl.DateTimeFormat('en-GB', {
    ...{ timeZone: zone, hour: '2-digit', minute: '2-digit', hourCycle: 'h23' },
  });
  return (time) => minutesOf(format.format(time));
}

/** NaN where it is no time of the day. */
function minutesOf(text: string): number {
  const [hours = Number.NaN, minutes = Number.NaN] = text.split(':').map(Number);
  return minutes < 60 ? hours * 60 + minutes : Number.NaN;
}

function isZone(zone: string): boolean {
  try {
    clockIn(zone);
    return true;
  } catch {
    return false;
  }
}
