import type { SshTarget } from '../../../ssh/target.ts';

/** A machine elsewhere that runs virtual machines, as an administrator has described it. */
export interface HostSettings extends SshTarget {
  readonly name: string;
}
