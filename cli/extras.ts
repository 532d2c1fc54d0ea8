import { existsSync } from 'node:fs';
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { ExtrasWish } from '../activities/repository/extras.ts';
import { type ExtraKind, extraKinds } from '../pipelines/formats/rpm/extra-kinds.ts';
import { append } from './command.ts';
import { misused } from './fault.ts';

/** What a repository is to have beside its packages: files by their kinds, and kinds that go. */
export type ExtraOptions = Partial<Readonly<Record<ExtraKind, string>>> & { readonly remove?: readonly string[] };

const packed = 'plain or packed (.gz, .xz, .zst, .bz2)';

/** `--updateinfo`, `--comps`, `--modules` and `--remove`. */
export function addExtraOptions(command: Command): Command {
  const remove = new Option('--remove <kind>', `take one away (${extraKinds.join(', ')}); may be repeated`);
  return command
    .option('--updateinfo <file>', `advisories: updateinfo.xml, ${packed}`)
    .option('--comps <file>', 'groups of packages: comps.xml, the same')
    .option('--modules <file>', 'streams of modules: modules.yaml, the same')
    .addOption(remove.argParser((kind, before?: readonly string[]) => append(knownKind(kind), before)));
}

function knownKind(text: string): ExtraKind {
  const found = extraKinds.find((kind) => kind === text);
  if (found === undefined) throw new InvalidArgumentError(`It is one of ${extraKinds.join(', ')}.`);
  return found;
}

/** @throws CommandError 2 for a file that is not there, and where one kind is both given and taken away */
export async function wishOf(options: ExtraOptions): Promise<ExtrasWish> {
  const { readPacked } = await import('../activities/repository/files.ts');
  const remove = extraKinds.filter((kind) => options.remove?.includes(kind));
  const given = extraKinds.flatMap((kind) => (options[kind] === undefined ? [] : [{ kind, from: options[kind] }]));
  const both = given.find(({ kind }) => remove.includes(kind));
  if (both !== undefined) throw misused(`${both.kind} is both given and taken away`);
  const texts = given.map(async (one) => {
    if (!existsSync(one.from)) throw misused(`--${one.kind}: ${one.from} is not there`);
    return { ...one, text: await readPacked(one.from) };
  });
  return { given: await Promise.all(texts), remove };
}
