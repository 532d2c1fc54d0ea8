import { type Command, Option } from 'commander';
import { addCommand } from './command.ts';

/** Adds `hook`: what the repositories' own hooks run. */
export function register(program: Command): void {
  addCommand(program, 'hook', {
    examples: ['sluice hook proc-receive'],
    details: 'Git runs it in a repository of the data directory; see githooks(5). It is of no use by hand.',
  })
    .argument('<name>', 'proc-receive')
    .addOption(new Option('--repository <dir>', 'the bare repository').env('GIT_DIR').default('.'))
    .action(async (name: string, { repository }: { readonly repository: string }, command: Command) => {
      if (name !== 'proc-receive') command.error(`there is no hook ${JSON.stringify(name)}`);
      const { runProcReceive } = await import('../infra/git-host/hook.ts');
      await runProcReceive({
        repo: repository,
        env: process.env,
        streams: { input: process.stdin, output: process.stdout },
        say: (line) => process.stderr.write(`${line}\n`),
      });
      process.stdin.destroy();
    });
}
