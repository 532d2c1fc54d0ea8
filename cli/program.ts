import { Command, CommanderError } from 'commander';
import { type CommandEntry, findCommand } from './command.ts';
import { commands, findCommands } from './commands.ts';
import { CommandError, exitStatus, misused, wordsOf } from './fault.ts';
import { inQuotes, worded } from './output.ts';
import { version } from './version.ts';

/** Options that stand before a command as well as after it; the value says whether they take an argument. */
const leading: Readonly<Record<string, boolean>> = {
  '--config': true,
  '--server': true,
  '--embedded': false,
  '--json': false,
};

/**
 * Runs one command line.
 *
 * @param argv the words after `sluice`
 * @returns the exit status; nothing is thrown
 */
export async function runCommandLine(argv: readonly string[]): Promise<number> {
  try {
    const words = commandFirst(argv[0] === 'help' ? [...argv.slice(1), '--help'] : argv);
    const program = await createProgram(findCommands(words));
    if (asJson(argv)) silence(program);
    await program.parseAsync(words.length === 0 ? ['--help'] : words, { from: 'user' });
    return Number(process.exitCode ?? exitStatus.done);
  } catch (error) {
    return report(error, asJson(argv));
  }
}

/**
 * The program with the commands that were asked for; with none, all are listed by their summaries.
 *
 * @param wanted entries whose modules are loaded
 */
export async function createProgram(wanted: readonly CommandEntry[]): Promise<Command> {
  const program = new Command('sluice')
    .description('A gate for Linux package repositories: pipelines as code, on Temporal.')
    .version(version())
    .exitOverride()
    .showHelpAfterError('(see --help)')
    .helpCommand(false)
    .configureHelp({ subcommandTerm: (command) => command.name(), styleDescriptionText: (text) => worded(text) });
  program.hook('preAction', (_, called) => refuseEmpty(called));
  program.addHelpText('after', '\nExample:\n  $ sluice COMMAND --help');
  if (wanted.length === 0) for (const entry of commands) program.addCommand(placeholder(entry, program));
  const modules = await Promise.all(wanted.map(({ load }) => load()));
  for (const { register } of modules) register(program);
  for (const entry of wanted) summarize(program, entry);
  return program;
}

function placeholder({ name, summary, group }: CommandEntry, program: Command): Command {
  return new Command(name).copyInheritedSettings(program).summary(summary).helpGroup(`${group}:`);
}

/** The one line of the list is also the command's description, unless its module says more. */
function summarize(program: Command, { name, summary }: CommandEntry): void {
  const command = findCommand(program, name);
  if (command === undefined) throw new Error(`the module of "${name}" does not register it`);
  const sentence = `${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`;
  command.summary(summary).description([sentence, command.description()].join('\n\n').trim());
}

/** An empty word is a variable of some script that has no value; as a number it would be 0, as a name anything. */
function refuseEmpty(command: Command): void {
  const words = command.registeredArguments.map((each, index) => [each.name(), command.processedArgs[index]] as const);
  const options = command.options
    .filter((each) => command.getOptionValueSource(each.attributeName()) === 'cli')
    .map((each) => [each.long, command.getOptionValue(each.attributeName())] as const);
  for (const [name, value] of [...words, ...options])
    if ([value].flat().includes('')) throw misused(`${name}: there is nothing in it`);
}

/** Moves the options of `leading` behind the command's words. */
function commandFirst(argv: readonly string[]): string[] {
  let at = 0;
  for (let name = argv[at]; name !== undefined; name = argv[at]) {
    const takesValue = leading[name.split('=')[0] ?? ''];
    if (takesValue === undefined) break;
    at += takesValue && !name.includes('=') ? 2 : 1;
  }
  const rest = argv.slice(at);
  const end = rest.includes('--') ? rest.indexOf('--') : rest.length;
  return rest.length === 0 ? [...argv] : [...rest.slice(0, end), ...argv.slice(0, at), ...rest.slice(end)];
}

function report(error: unknown, json: boolean): number {
  if (json) return reportJson(error);
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitStatus.done : exitStatus.usage;
  if (error instanceof CommandError) {
    if (error.message !== '') process.stderr.write(`${inQuotes(error.message)}\n`);
    return error.status;
  }
  const text = error instanceof Error ? error : new Error(String(error));
  process.stderr.write(`sluice: ${process.env.SLUICE_DEBUG ? text.stack : inQuotes(wordsOf(text))}\n`);
  return exitStatus.failed;
}

/** Programs that ask for JSON get errors as such: one document, on standard error. */
function reportJson(error: unknown): number {
  const message = wordsOf(error instanceof Error ? error : new Error(String(error)));
  const help = error instanceof CommanderError && error.exitCode === 0;
  const usage = error instanceof CommanderError ? exitStatus.usage : exitStatus.failed;
  const status = help ? exitStatus.done : error instanceof CommandError ? error.status : usage;
  const said = message.replace(/^error: /, '');
  // Problems with their places are lines for programs already.
  const placed = said.split('\n').every((line) => /:\d+:\d+: /.test(line));
  if (said !== '' && !help) process.stderr.write(`${placed ? said : JSON.stringify({ error: said, status })}\n`);
  return status;
}

function asJson(argv: readonly string[]): boolean {
  const end = argv.indexOf('--');
  return argv.slice(0, end < 0 ? argv.length : end).includes('--json');
}

/** What is wrong with the words is said once, by us. */
function silence(command: Command): void {
  command.configureOutput({ outputError: () => {} }).showHelpAfterError(false);
  for (const each of command.commands) silence(each);
}
