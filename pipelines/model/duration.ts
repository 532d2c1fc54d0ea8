const units: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 };

/** Seconds of a time such as `90s`, `2m`, `1h` or `1d`; what is written in another way is given back as it is. */
export function writtenSeconds(value: unknown): unknown {
  const [, count, unit = ''] = (typeof value === 'string' && /^(\d+)([smhd])$/.exec(value)) || [];
  return count === undefined ? value : Number(count) * (units[unit] ?? 1);
}
