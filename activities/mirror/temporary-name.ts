import { randomBytes } from 'node:crypto';
import { basename } from 'node:path';

/** A name for what is not yet whole on a mirror, beside where it goes: nobody takes it for anything else. */
export function temporaryName(set: string): string {
  return `.${set}.new-${randomBytes(6).toString('hex')}`;
}

/** Whether a path names what a command of the set that was killed has left. */
export function isTemporary(set: string, path: string): boolean {
  const name = basename(path);
  return name.startsWith(`.${set}.new-`) && /^[0-9a-f]{12}$/.test(name.slice(`.${set}.new-`.length));
}
