import type { Command } from 'commander';
import type { MetadataDone } from '../server/api/types.ts';
import { addCommand } from './command.ts';
import { addExtraOptions, type ExtraOptions, wishOf } from './extras.ts';
import { misused } from './fault.ts';
import { print } from './output.ts';
import { orRefused } from './repository.ts';
import { addServerOrStackOptions, type ServerOrStackOptions, withServerOrStack } from './server-or-stack.ts';

/** Adds `release metadata`. */
export function register(program: Command): void {
  const command = addCommand(program, 'release metadata', {
    examples: [
      'sluice release metadata rpm --updateinfo updateinfo.xml',
      'sluice release metadata rpm-stable --comps comps.xml --modules modules.yaml.gz --remove updateinfo',
    ],
    details:
      'Gives a released repository of RPM packages advisories, groups of packages or modules, in the place of those ' +
      'that it has: its next state is signed, shown at once, and sent to its mirrors. Later releases keep them. What ' +
      'they say of packages that are not there is told.',
  });
  addExtraOptions(addServerOrStackOptions(command))
    .argument('<repository>', 'a released repository: rpm, or the name of a line')
    .action(async (repository: string, options: ServerOrStackOptions & ExtraOptions) => {
      const wish = await orRefused(wishOf(options));
      if (wish.given.length + wish.remove.length === 0) throw misused('give a file, or name what is to go by --remove');
      const path = `/api/releases/${encodeURIComponent(repository)}/metadata`;
      const done = await withServerOrStack(options, (client) => client.post<MetadataDone>(path, wish));
      print(done, ({ summary }) => summary, options);
    });
}
