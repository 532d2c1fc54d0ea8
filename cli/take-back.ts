import type { Command } from 'commander';
import { append } from './command.ts';
import { misused } from './fault.ts';

/** What is taken back besides a plan. */
export interface TakeBackOptions {
  readonly change?: string;
  readonly line?: readonly string[];
}

export function addTakeBackOptions(command: Command): Command {
  return command
    .option('--change <id>', 'instead of a plan: what is released of this change')
    .option('--line <name>', 'of the change, only what is in this released repository; may be repeated', append);
}

/** @throws CommandError 2 where not exactly one of plan and change is named */
export function whatToTakeBack(
  plan: string | undefined,
  { change, line: lines = [] }: TakeBackOptions,
): { readonly plan: string } | { readonly change: string; readonly lines: readonly string[] } {
  if (plan !== undefined && change === undefined && lines.length === 0) return { plan };
  if (plan === undefined && change !== undefined) return { change, lines };
  throw misused('name either a release plan, or a change with --change and, if need be, --line');
}
