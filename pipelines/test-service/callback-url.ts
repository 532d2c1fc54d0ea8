import { isBelow } from './allowed.ts';

/**
 * Where a callback goes: a path at the host that is configured, and never anywhere else.
 *
 * @param host its URL, which can be parsed
 * @returns undefined for what is no path, or leads out of there
 */
export function callbackUrl(host: string, path: string): string | undefined {
  if (!path.startsWith('/')) return undefined;
  const whole = `${host.replace(/\/+$/, '')}${path}`;
  return isBelow(whole, [host]) ? new URL(whole).href : undefined;
}
