import type { Command } from 'commander';
import { addReleaseAction } from './release-act.ts';

/** Adds `release commit`. */
export function register(program: Command): void {
  addReleaseAction(
    program,
    'commit',
    'Shows what is planned in all released repositories of the plan, or in none. Refused where something newer was ' +
      'merged since the plan was made: make a new plan then.',
  );
}
