import { Command, Option } from 'commander';

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

export type CommandGroup =
  | 'Run Sluice'
  | 'Work with changes'
  | 'Look'
  | 'Packages'
  | 'Mirrors'
  | 'Machines'
  | 'Pipelines';

export interface CommandText {
  /** Whole command lines, one at least: they stand at the end of `--help`. */
  readonly examples: readonly string[];
  /** What the one line of `sluice --help` cannot say. The terminal breaks its lines; an empty one parts paragraphs. */
  readonly details?: string;
}

/**
 * Adds a command of one or two words; the first of two becomes a parent that all of its kind share.
 *
 * @returns the new command, for arguments, options and action
 */
export function addCommand(program: Command, name: string, text: CommandText): Command {
  const words = name.split(' ');
  const last = words.pop() ?? name;
  const parent = words.reduce(findOrAddParent, program);
  const command = inherit(new Command(last), program);
  if (text.details !== undefined) command.description(text.details.replaceAll(/(?<!\n)\n(?!\n)/g, ' '));
  const title = text.examples.length > 1 ? 'Examples:' : 'Example:';
  command.showHelpAfterError(`(for example: ${text.examples[0]}; see --help)`);
  command.addHelpText('after', ['', title, ...text.examples.map((line) => `  $ ${line}`)].join('\n'));
  parent.addCommand(command);
  return command;
}

function findOrAddParent(program: Command, name: string): Command {
  const found = program.commands.find((each) => each.name() === name);
  if (found !== undefined) return found;
  const parent = inherit(new Command(name), program);
  parent.addHelpText('after', `\nExample:\n  $ sluice ${name} COMMAND --help`);
  program.addCommand(parent);
  return parent;
}

function inherit(command: Command, program: Command): Command {
  return command.copyInheritedSettings(program).helpCommand(false);
}

/** The registered command of one or two words. */
export function findCommand(program: Command, name: string): Command | undefined {
  return name
    .split(' ')
    .reduce<Command | undefined>((parent, word) => parent?.commands.find((each) => each.name() === word), program);
}

/** One JSON document on standard output instead of text. */
export function jsonOption(): Option {
  return new Option('--json', 'print one JSON document');
}

/** Undefined when not given: `./sluice.yaml` if it is there, else the defaults. */
export function configOption(): Option {
  return new Option('--config <file>', 'configuration (default: ./sluice.yaml where there is one)');
}

/** Of commands that work on this machine's data directory, as they do without it as well. */
export function embeddedOption(): Option {
  return new Option('--embedded', 'work here, whether a server answers or not (as always)');
}

/** Options of commands that act through a server; see `cli/client.ts`. */
export function serverOption(): Option {
  return new Option('--server <url>', 'server to talk to; its token may be in SLUICE_TOKEN').env('SLUICE_SERVER');
}

/** Collects the values of an option that may be repeated: one value each time, so that arguments may follow. */
export function append(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}
