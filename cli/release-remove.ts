import type { Command } from 'commander';
import { addReleaseAction } from './release-act.ts';

/** Adds `release remove`. */
export function register(program: Command): void {
  addReleaseAction(
    program,
    'remove',
    'Forgets a plan that was not carried out. What it names goes on waiting, and may be planned again.',
  );
}
