/** A timer's schedule: for each field the values at which it fires, all in UTC. */
export interface Cron {
  readonly seconds: ReadonlySet<number>;
  readonly minutes: ReadonlySet<number>;
  readonly hours: ReadonlySet<number>;
  readonly months: ReadonlySet<number>;
  readonly days: DayRule;
  /** 0 is Monday. */
  readonly weekdays: ReadonlySet<number>;
  /** Seconds by which a run may be put off, each project and branch by its own share. */
  readonly jitter: number;
}

/** Days of the month: numbers from 1, the last day, and the N-th of a weekday. */
interface DayRule {
  readonly numbers: ReadonlySet<number>;
  readonly last: boolean;
  /** `ordinal` counts from 1; -1 is the last. */
  readonly nth: readonly { readonly ordinal: number; readonly weekday: number }[];
}

const weekdayNames = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];
const monthNames = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const ordinals = ['1st', '2nd', '3rd', '4th', '5th'];
const day = 86_400_000;
/** A rule such as the 29th of February on a Monday comes round within this time, or never. */
const horizon = 30 * 366;

/**
 * Reads `MINUTE HOUR DAY MONTH WEEKDAY [SECOND [JITTER]]`. A field is `*`, `*` with a step after a slash, a number, a range with or without a
 * step, a name (weekdays and months), for days also `last`, `last fri` and `2nd fri`, or a list of those with commas.
 *
 * @returns undefined when the text is not such a schedule.
 */
export function parseCron(text: string): Cron | undefined {
  const parts = fields(text);
  if (parts.length < 5 || parts.length > 7) return undefined;
  const [minute = '', hour = '', dayOfMonth = '', month = '', weekday = '', second = '0', jitter = '0'] = parts;
  const minutes = values(minute, [0, 59]);
  const hours = values(hour, [0, 23]);
  const days = dayRule(dayOfMonth);
  const months = values(month, [1, 12], monthNames);
  const weekdays = values(weekday, [0, 6], weekdayNames);
  const seconds = values(second, [0, 59]);
  if (!minutes || !hours || !days || !months || !weekdays || !seconds || !/^\d+$/.test(jitter)) return undefined;
  return { minutes, hours, days, months, weekdays, seconds, jitter: Number(jitter) };
}

/**
 * The first time after `after` at which the schedule fires; undefined when it never does. Times are milliseconds
 * since the epoch.
 */
export function nextTime(cron: Cron, after: number): number | undefined {
  const from = Math.floor(after / 1000) * 1000 + 1000;
  const first = Math.floor(from / day) * day;
  for (let index = 0; index < horizon; index += 1) {
    const start = first + index * day;
    if (!isDay(cron, new Date(start))) continue;
    const found = timeInDay(cron, Math.max(0, (from - start) / 1000));
    if (found !== undefined) return start + found * 1000;
  }
  return undefined;
}

/** The share of the jitter, in milliseconds, by which a project and branch is put off: always the same one. */
export function jitterOf(cron: Cron, name: string): number {
  let hash = 0x811c9dc5;
  for (const character of name) hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193) >>> 0;
  return Math.floor((hash / 0x1_0000_0000) * cron.jitter * 1000);
}

/** Splits at blanks, but keeps `last fri` and `2nd fri` together. */
function fields(text: string): readonly string[] {
  const withWeekday = /\b(last|1st|2nd|3rd|4th|5th)\s+(?=(?:mon|tue|wed|thu|fri|sat|sun)\b)/g;
  return text.trim().toLowerCase().replace(withWeekday, '$1_').split(/\s+/);
}

function isDay(cron: Cron, date: Date): boolean {
  const weekday = weekdayOf(date);
  return (
    cron.months.has(date.getUTCMonth() + 1) && cron.weekdays.has(weekday) && isDayOfMonth(cron.days, date, weekday)
  );
}

function isDayOfMonth(rule: DayRule, date: Date, weekday: number): boolean {
  const number = date.getUTCDate();
  const length = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate();
  if (rule.numbers.has(number) || (rule.last && number === length)) return true;
  return rule.nth.some((one) => {
    if (one.weekday !== weekday) return false;
    return one.ordinal < 0 ? number + 7 > length : Math.ceil(number / 7) === one.ordinal;
  });
}

function weekdayOf(date: Date): number {
  return (date.getUTCDay() + 6) % 7;
}

/** The first second of the day, from the given one on, that fits. */
function timeInDay(cron: Cron, from: number): number | undefined {
  for (const hour of sorted(cron.hours)) {
    if (hour * 3600 + 3599 < from) continue;
    for (const minute of sorted(cron.minutes)) {
      const start = hour * 3600 + minute * 60;
      if (start + 59 < from) continue;
      const second = sorted(cron.seconds).find((one) => start + one >= from);
      if (second !== undefined) return start + second;
    }
  }
  return undefined;
}

function sorted(set: ReadonlySet<number>): readonly number[] {
  return [...set].sort((a, b) => a - b);
}

function dayRule(field: string): DayRule | undefined {
  const numbers = new Set<number>();
  const nth: { ordinal: number; weekday: number }[] = [];
  let last = false;
  for (const part of field.split(',')) {
    const [which = '', name = ''] = part.split('_');
    const weekday = weekdayNames.indexOf(name);
    if (part === 'last') last = true;
    else if (which === 'last' && weekday >= 0) nth.push({ ordinal: -1, weekday });
    else if (ordinals.includes(which) && weekday >= 0) nth.push({ ordinal: ordinals.indexOf(which) + 1, weekday });
    else {
      const found = values(part, [1, 31]);
      if (!found) return undefined;
      for (const value of found) numbers.add(value);
    }
  }
  return { numbers, nth, last };
}

type Range = readonly [number, number];

function values(field: string, range: Range, names: readonly string[] = []): ReadonlySet<number> | undefined {
  const found = new Set<number>();
  for (const part of field.split(',')) {
    const match = /^(\*|[a-z0-9]+)(?:-([a-z0-9]+))?(?:\/(\d+))?$/.exec(part);
    if (!match) return undefined;
    const [, from = '', to, step] = match;
    const first = from === '*' ? range[0] : number(from, range, names);
    const open = from === '*' || (to === undefined && step !== undefined);
    const last = to === undefined ? (open ? range[1] : first) : number(to, range, names);
    const by = step === undefined ? 1 : Number(step);
    if (first === undefined || last === undefined || last < first || by === 0) return undefined;
    for (let value = first; value <= last; value += by) found.add(value);
  }
  return found;
}

function number(text: string, [low, high]: Range, names: readonly string[]): number | undefined {
  const named = names.indexOf(text);
  const value = named >= 0 ? named + low : /^\d+$/.test(text) ? Number(text) : Number.NaN;
  return value >= low && value <= high ? value : undefined;
}
