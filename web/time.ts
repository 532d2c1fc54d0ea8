/** Milliseconds as people read them: `0.4 s`, `42 s`, `3 min 05 s`, `2 h 10 min`, `3 d`. */
export function span(milliseconds: number): string {
  const seconds = Math.max(0, milliseconds) / 1000;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 100) return `${Math.round(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${two(seconds % 60)} s`;
  if (minutes < 48 * 60) return `${Math.floor(minutes / 60)} h ${two(minutes % 60)} min`;
  return `${Math.floor(minutes / 60 / 24)} d`;
}

/** Like `span` without fractions: for what changes each second. */
export function steadySpan(milliseconds: number): string {
  const whole = Math.max(0, Math.floor(milliseconds / 1000)) * 1000;
  return whole < 10_000 ? `${whole / 1000} s` : span(whole);
}

/** How long ago something was. */
export function ago(time: number, now: number): string {
  return now - time < 5_000 ? 'just now' : `${steadySpan(now - time)} ago`;
}

/** A moment in UTC, for titles and machines. */
export function moment(time: number): string {
  return new Date(time).toISOString().slice(0, 19).replace('T', ' ');
}

function two(value: number): string {
  return String(Math.floor(value)).padStart(2, '0');
}
