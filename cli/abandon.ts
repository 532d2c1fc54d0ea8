import type { Command } from 'commander';
import { addChangeAction } from './change-action.ts';

/** Adds `abandon`. */
export function register(program: Command): void {
  addChangeAction(program, 'abandon', 'abandoned');
}
