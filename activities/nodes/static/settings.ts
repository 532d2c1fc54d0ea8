import type { SshTarget } from '../ssh/target.ts';

/** A machine that is there, as an administrator has described it. */
export interface GivenSettings extends SshTarget {
  readonly name: string;
  /** Labels of nodes that it serves. */
  readonly labels: readonly string[];
  /** Root, or an account that may `sudo` without a password. */
  readonly user: string;
  /** The program that makes it as it was, run by root after each lease, and before the first. */
  readonly clean: readonly string[];
  /** Milliseconds that it may take. */
  readonly cleanTimeout: number;
}
