import type { Command } from 'commander';
import { addReleaseAction } from './release-act.ts';

/** Adds `release revert`. */
export function register(program: Command): void {
  addReleaseAction(
    program,
    'revert',
    'Takes back what a plan has released: the repositories are published anew without its packages, signed, with a new ' +
      'date, so that clients take the older versions for the newest. What is installed stays installed.',
  );
}
