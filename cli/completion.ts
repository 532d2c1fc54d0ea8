import { Argument, Command } from 'commander';
import { addCommand, type CommandEntry, findCommand } from './command.ts';

type Shell = 'bash' | 'zsh' | 'fish';

/** A command's words and the long options that it takes. */
interface Completion {
  readonly words: string;
  readonly options: readonly string[];
}

/** Adds `completion`, which completes these commands. */
export function register(program: Command, entries: readonly CommandEntry[]): void {
  addCommand(program, 'completion', {
    examples: ['source <(sluice completion bash)', 'sluice completion fish > ~/.config/fish/completions/sluice.fish'],
  })
    .addArgument(new Argument('<shell>').choices(['bash', 'zsh', 'fish']))
    .action(async (shell: Shell) => {
      const known = await readCompletions(entries);
      process.stdout.write(shell === 'fish' ? fishScript(known) : bashScript(known, shell === 'zsh'));
    });
}

async function readCompletions(entries: readonly CommandEntry[]): Promise<readonly Completion[]> {
  const program = new Command();
  for (const { register } of await Promise.all(entries.map(({ load }) => load()))) register(program);
  return entries.map(({ name }) => {
    const command = findCommand(program, name);
    return { words: name, options: (command?.options ?? []).flatMap(({ long }) => long ?? []) };
  });
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
    ...known.map(({ words, options }) => `    '${words}'*) words='${options.join(' ')}' ;;`),
    ...parents(known).map((parent) => `    '${parent}'*) words='${following(known, parent).join(' ')}' ;;`),
    `    *) words='${following(known, '').join(' ')} --help --version' ;;`,
  ];
  return [
    ...(zsh ? ['autoload -U +X bashcompinit && bashcompinit'] : []),
    '_sluice() {',
    '  local words typed',
    `  typed="\${COMP_WORDS[*]:1:COMP_CWORD-1}"`,
    '  case $typed in',
    ...cases,
    '  esac',
    `  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))`,
    '}',
    'complete -o default -F _sluice sluice',
    '',
  ].join('\n');
}

function fishScript(known: readonly Completion[]): string {
  const first = `complete -c sluice -n __fish_use_subcommand -f -a '${following(known, '').join(' ')}'`;
  const second = parents(known).map((parent) => {
    const words = following(known, parent).join(' ');
    return `complete -c sluice -n '__fish_seen_subcommand_from ${parent}' -f -a '${words}'`;
  });
  const options = known.flatMap(({ words, options }) => {
    const seen = words
      .split(' ')
      .map((word) => `__fish_seen_subcommand_from ${word}`)
      .join('; and ');
    return options.map((option) => `complete -c sluice -n '${seen}' -l ${option.slice(2)}`);
  });
  return [first, ...second, ...options, ''].join('\n');
}
