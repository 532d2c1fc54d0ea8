import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ExtraKind, extraKindOf, extraKinds, extraTypes } from '../../../pipelines/formats/rpm/extra-kinds.ts';
import { type MetadataFile, parseRepomd } from '../../../pipelines/formats/rpm/repodata.ts';
import { exists } from '../../files/exists.ts';
import { must } from '../../process/run.ts';
import { makeTemporary } from '../../process/temporary.ts';
import { linkFile, readPacked } from '../files.ts';
import { insidePath } from '../names.ts';
import { type Extra, type ExtraFormat, type ExtraText, RepositoryRefusal } from '../port.ts';
import { listTypes } from './describe.ts';
import { readRepomd } from './index-read.ts';

/** How the files are called behind their checksums. */
const names: Readonly<Record<ExtraKind, string>> = {
  updateinfo: 'updateinfo.xml',
  comps: 'comps.xml',
  modules: 'modules.yaml',
};

/** What the reading of texts takes: a publication without any starts sooner. */
const reading = () => import('../../../pipelines/formats/rpm/extra.ts');

/** Advisories, groups and modules, as modifyrepo_c puts them into a repository. */
export const rpmExtras: ExtraFormat = {
  kept,
  read,
  make,
  sayAbsent: async ({ kind, text, from }, of) => {
    const { extraFault, sayAbsent } = await reading();
    const fault = extraFault(kind, text);
    return fault === null ? sayAbsent(kind, text, of) : [`${from}:${fault.line}: ${fault.message}`];
  },
};

/** Each with its own words in `repomd.xml`, which stay as they are. */
async function kept(tree: string): Promise<readonly Extra[]> {
  const text = await readRepomd(tree);
  return extrasIn(text).map(({ kind, path, entry }) => ({
    ...{ kind, path, entry },
    place: (to) => linkFile(join(tree, path), join(to, path)),
  }));
}

function extrasIn(repomd: string) {
  const entries = repomd.match(/ *<data\b[\s\S]*?<\/data>/g) ?? [];
  return parseRepomd(repomd).files.flatMap(({ type, path }, position) => {
    const kind = extraKindOf(type);
    return kind === undefined ? [] : [{ kind, path: insidePath(path), entry: entries[position] ?? '' }];
  });
}

async function read(tree: string): Promise<{ readonly texts: readonly ExtraText[]; readonly left: readonly string[] }> {
  const { files } = parseRepomd(await readRepomd(tree));
  const chosen = extraKinds.flatMap((kind) => {
    const forms = extraTypes[kind].flatMap((type) => files.find((one) => one.type === type) ?? []);
    return forms.slice(0, 1).map((file) => ({ kind, file }));
  });
  const texts = chosen.map(async ({ kind, file }) => ({ kind, ...(await textOf(tree, file)) }));
  return { texts: await Promise.all(texts), left: files.map(({ type }) => type).filter(isLeft) };
}

async function textOf(tree: string, { path }: MetadataFile): Promise<Pick<ExtraText, 'text' | 'from'>> {
  const from = join(tree, insidePath(path));
  if (!(await exists(from))) throw new RepositoryRefusal(`${from} is named by the index, and not there`);
  return { text: await readPacked(from), from };
}

/** What is in another form of a list that is made anew is nothing that is lost. */
function isLeft(type: string): boolean {
  const [, plain = type] = /^(.*)_(?:db|zck|gz|xz)$/.exec(type) ?? [];
  return extraKindOf(plain) === undefined && !(listTypes as readonly string[]).includes(plain);
}

async function make({ kind, text, from }: ExtraText): Promise<Extra> {
  const fault = (await reading()).extraFault(kind, text);
  if (fault !== null) throw new RepositoryRefusal(`${from}:${fault.line}: ${fault.message}`);
  const work = await makeTemporary('sluice-extra');
  try {
    const file = join(work, names[kind]);
    await mkdir(join(work, 'repodata'));
    await writeFile(file, text);
    await writeFile(join(work, 'repodata/repomd.xml'), '<repomd xmlns="http://linux.duke.edu/metadata/repo"></repomd>');
    const form = [
      `--mdtype=${extraTypes[kind][0]}`,
      '--compress-type=gz',
      '--checksum=sha256',
      '--unique-md-filenames',
    ];
    await must('modifyrepo_c', [...form, file, join(work, 'repodata')]);
    const [made] = extrasIn(await readRepomd(work));
    if (made === undefined) throw new Error(`modifyrepo_c made nothing of ${from}`);
    const content = await readFile(join(work, made.path));
    return { ...made, place: (to) => writeFile(join(to, made.path), content) };
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
