import { createHash } from 'node:crypto';
import { realpathSync } from 'node:fs';
import { hostname } from 'node:os';
import { resolve } from 'node:path';

/** One data directory on one machine: several may share a container engine. */
export interface Installation {
  /** Safe in a label and a name. */
  readonly id: string;
  /** Absolute path of the data directory, for people. */
  readonly data: string;
}

export function installationOf(data: string): Installation {
  const path = realPath(data);
  const id = createHash('sha256').update(`${hostname()}\0${path}`).digest('hex').slice(0, 16);
  return { id, data: path };
}

/** A directory that is not there yet has no links to follow. */
function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return resolve(path);
  }
}
