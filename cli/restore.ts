import type { Command } from 'commander';
import { addChangeAction } from './change-action.ts';

/** Adds `restore`. */
export function register(program: Command): void {
  addChangeAction(program, 'restore', 'open again');
}
