import type { Command } from 'commander';

/** A command as `sluice --help` lists it; its module is loaded only when it is called. */
export interface CommandEntry {
  /** One or two words. */
  readonly name: string;
  readonly summary: string;
  readonly group: CommandGroup;
  readonly load: () => Promise<CommandModule>;
}

/** What each command's file exports. */
export interface CommandModule {
  readonly register: (program: Command) => void;
}

export type CommandGroup = 'Run Sluice' | 'Work with changes' | 'Look' | 'Packages' | 'Mirrors' | 'Pipelines';

/** Every command there is, in the order of `sluice --help`. */
export const commands: readonly CommandEntry[] = [
  {
    name: 'doctor',
    summary: 'say what is missing on this machine for which part, and the command that mends it',
    group: 'Run Sluice',
    load: () => import('./doctor.ts'),
  },
  {
    name: 'completion',
    summary: 'print the completion script for a shell',
    group: 'Run Sluice',
    load: () => import('./completion.ts'),
  },
  {
    name: 'compare-versions',
    summary: 'order two package versions exactly as dpkg or rpm does',
    group: 'Packages',
    load: () => import('./compare-versions.ts'),
  },
];

/** The commands whose one or two words begin `words`: one command, or all of a group such as `repo`. */
export function findCommands(words: readonly string[]): readonly CommandEntry[] {
  const exact = commands.filter(({ name }) => name === words[0] || name === words.slice(0, 2).join(' '));
  return exact.length > 0 ? exact : commands.filter(({ name }) => name.split(' ')[0] === words[0]);
}
