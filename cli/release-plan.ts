import type { Command } from 'commander';
import type { ReleasePlanRecord } from '../server/api/types.ts';
import { addCommand, append } from './command.ts';
import { printRecords } from './look-back.ts';
import { renderPlan } from './render-plan.ts';
import { addServerOrStackOptions, type ServerOrStackOptions, withServerOrStack } from './server-or-stack.ts';

interface Options extends ServerOrStackOptions {
  readonly line?: readonly string[];
  readonly platform?: readonly string[];
  readonly project?: readonly string[];
  readonly build?: readonly string[];
  readonly change?: readonly string[];
}

/** Adds `release plan`. */
export function register(program: Command): void {
  addServerOrStackOptions(
    addCommand(program, 'release plan', {
      examples: [
        'sluice release plan',
        'sluice release plan 2026-q4 --line deb-stable --line rpm-stable',
        "sluice release plan kde --platform debian-12 --project 'kde/*'",
        'sluice release plan hotfix-7 --change 7',
      ],
      details:
        'Plans a release of what has merged into lines with `publish: planned` and waits: all of it, the newest of each ' +
        'project, or the builds and changes that are named. What was taken back is released again by name alone.',
    }),
  )
    .argument('[name]', 'what the plan is called (default: the day and a number)')
    .option('--line <name>', 'only what goes into this released repository; may be repeated', append)
    .option('--platform <name>', 'only what was built for this platform; may be repeated', append)
    .option('--project <name>', 'only of this project; * fits within a part of a name; may be repeated', append)
    .option('--build <id>', 'the packages of this build; may be repeated', append)
    .option('--change <id>', 'the packages of this change; may be repeated', append)
    .action(async (name: string | undefined, options: Options) => {
      const { line: lines = [], platform: platforms = [], project: projects = [] } = options;
      const { build: builds = [], change: changes = [] } = options;
      const wish = { ...(name === undefined ? {} : { name }), lines, platforms, projects, builds, changes };
      const made = await withServerOrStack(options, (client) =>
        client.post<ReleasePlanRecord>('/api/release-plans', wish),
      );
      printRecords(made, renderPlan, options);
    });
}
