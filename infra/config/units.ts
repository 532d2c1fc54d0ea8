import { z } from 'zod';

const seconds = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 } as const;
const bytes = { KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40 } as const;

/** A span of time such as `90s`, `15m`, `12h`, `20d`, `8w`: seconds. A bare number counts seconds. */
export const durationSchema = measure(seconds, 'a time such as 60s, 15m, 12h, 20d or 8w');

/** An amount of storage such as `512MiB` or `2GiB`: bytes. A bare number counts bytes. */
export const sizeSchema = measure(bytes, 'a size such as 512MiB or 2GiB');

function measure(units: Readonly<Record<string, number>>, wanted: string) {
  const pattern = new RegExp(`^(\\d+(?:\\.\\d+)?)\\s*(${Object.keys(units).join('|')})$`);
  return z.union([z.string(), z.number().nonnegative()], { error: `must be ${wanted}` }).transform((value, context) => {
    if (typeof value === 'number') return value;
    const [, amount, unit] = pattern.exec(value) ?? [];
    if (amount === undefined || unit === undefined) {
      context.addIssue(`must be ${wanted}`);
      return z.NEVER;
    }
    return Number(amount) * (units[unit] ?? 1);
  });
}

export interface Address {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
}

/** `HOST:PORT`, with an IPv6 address in brackets. */
export const addressSchema = z.string().transform((value, context): Address => {
  const [, bracketed, plain, port] = /^(?:\[([0-9A-Fa-f:]+)\]|([^:\s]+)):(\d{1,5})$/.exec(value) ?? [];
  const host = bracketed ?? plain;
  if (host === undefined || Number(port) > 65_535) {
    context.addIssue('must be HOST:PORT, for example 127.0.0.1:8080');
    return z.NEVER;
  }
  return { host, port: Number(port) };
});
