import { Argument, Command } from 'commander';
import { addCommand, type CommandEntry, findCommand } from './command.ts';
import { argumentKind, optionKind, type ValueKind, valuesOf } from './completion-values.ts';

type Shell = 'bash' | 'zsh' | 'fish';

/** Words that may stand somewhere: known by heart, or to be looked up. */
type Values = { readonly choices: readonly string[] } | { readonly kind: ValueKind };

/** A command's words, the long options that it takes, and what may stand as their values and as arguments. */
interface Completion {
  readonly words: string;
  readonly options: readonly string[];
  readonly values: readonly (readonly [option: string, values: Values])[];
  readonly arguments: readonly Values[];
}

/** Adds `completion`, which completes these commands. */
export function register(program: Command, entries: readonly CommandEntry[]): void {
  addCommand(program, 'completion', {
    examples: ['source <(sluice completion bash)', 'sluice completion fish > ~/.config/fish/completions/sluice.fish'],
    details:
      'Commands, options and their values are completed: also the open changes, builds, pipelines, projects, platforms ' +
      'and sets of mirrors that there are, which the scripts ask for by `sluice completion values KIND`.',
  })
    .addArgument(new Argument('<shell>').choices(['bash', 'zsh', 'fish', 'values']))
    .argument('[kind]', 'with `values`: of what')
    .action(async (shell: Shell | 'values', kind = '') => {
      if (shell === 'values')
        return void process.stdout.write((await valuesOf(kind)).map((one) => `${one}\n`).join(''));
      const known = await readCompletions(entries);
      process.stdout.write(shell === 'fish' ? fishScript(known) : bashScript(known, shell === 'zsh'));
    });
}

async function readCompletions(entries: readonly CommandEntry[]): Promise<readonly Completion[]> {
  const program = new Command();
  for (const { register } of await Promise.all(entries.map(({ load }) => load()))) register(program);
  return entries.map(({ name }) => {
    const command = findCommand(program, name);
    const options = command?.options ?? [];
    return {
      words: name,
      options: options.flatMap(({ long }) => long ?? []),
      values: options.flatMap(({ long, argChoices }) => {
        const values = valuesFor(argChoices, optionKind(long ?? ''));
        return values === undefined || long === undefined || long === null ? [] : [[long, values] as const];
      }),
      arguments: (command?.registeredArguments ?? []).flatMap((argument) => {
        return valuesFor(argument.argChoices, argumentKind(argument.name())) ?? [];
      }),
    };
  });
}

function valuesFor(choices: readonly string[] | undefined, kind: ValueKind | undefined): Values | undefined {
  if (choices !== undefined) return { choices };
  return kind === undefined ? undefined : { kind };
}

/** Words that can follow `prefix`, which is empty or the first word of a command. */
function following(known: readonly Completion[], prefix: string): string[] {
  const rest = known.flatMap(({ words }) =>
    prefix === '' ? words : words.startsWith(`${prefix} `) ? words.slice(prefix.length + 1) : [],
  );
  return [...new Set(rest.map((words) => words.split(' ')[0] ?? ''))];
}

function parents(known: readonly Completion[]): string[] {
  return [...new Set(known.flatMap(({ words }) => (words.includes(' ') ? (words.split(' ')[0] ?? []) : [])))];
}

function bashScript(known: readonly Completion[], zsh: boolean): string {
  const cases = [
    ...known.map((each) => `    '${each.words}'*)${bashCase(each)} ;;`),
    ...parents(known).map((parent) => `    '${parent}'*) words='${following(known, parent).join(' ')}' ;;`),
    `    *) words='${following(known, '').join(' ')} --help --version' ;;`,
  ];
  return [
    ...(zsh ? ['autoload -U +X bashcompinit && bashcompinit'] : []),
    '_sluice() {',
    '  local words typed before',
    `  typed="\${COMP_WORDS[*]:1:COMP_CWORD-1}"`,
    `  before="\${COMP_WORDS[COMP_CWORD-1]}"`,
    '  case $typed in',
    ...cases,
    '  esac',
    `  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))`,
    '}',
    'complete -o default -F _sluice sluice',
    '',
  ].join('\n');
}

/** After an option its values; else what arguments may be, and the options where one is begun. */
function bashCase({ options, values, arguments: given }: Completion): string {
  const after = values.map(([option, each]) => `${option}) words="${bashWords(each)}" ;;`);
  const plain = given.length === 0 ? `words='${options.join(' ')}'` : bashPlain(options, given);
  return after.length === 0 ? ` ${plain}` : ` case $before in ${after.join(' ')} *) ${plain} ;; esac`;
}

function bashPlain(options: readonly string[], given: readonly Values[]): string {
  const begun = `\${COMP_WORDS[COMP_CWORD]}`;
  return `case ${begun} in -*) words='${options.join(' ')}' ;; *) words="${given.map(bashWords).join(' ')}" ;; esac`;
}

function bashWords(values: Values): string {
  return 'kind' in values
    ? `$("\${COMP_WORDS[0]}" completion values ${values.kind} 2>/dev/null)`
    : values.choices.join(' ');
}

function fishScript(known: readonly Completion[]): string {
  const first = `complete -c sluice -n __fish_use_subcommand -f -a '${following(known, '').join(' ')}'`;
  const second = parents(known).map((parent) => {
    const words = following(known, parent).join(' ');
    return `complete -c sluice -n '__fish_seen_subcommand_from ${parent}' -f -a '${words}'`;
  });
  return [first, ...second, ...known.flatMap(fishLines), ''].join('\n');
}

function fishLines({ words, options, values, arguments: given }: Completion): string[] {
  const seen = words
    .split(' ')
    .map((word) => `__fish_seen_subcommand_from ${word}`)
    .join('; and ');
  const known = new Map(values);
  const head = `complete -c sluice -n '${seen}'`;
  return [
    ...options.map((option) => {
      const each = known.get(option);
      return `${head} -l ${option.slice(2)}${each === undefined ? '' : ` -x -a '${fishWords(each)}'`}`;
    }),
    ...given.map((each) => `${head} -f -a '${fishWords(each)}'`),
  ];
}

function fishWords(values: Values): string {
  return 'kind' in values ? `(sluice completion values ${values.kind} 2>/dev/null)` : values.choices.join(' ');
}
