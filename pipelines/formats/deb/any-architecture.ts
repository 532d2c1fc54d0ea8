/** No package can be called so: a name with two dots in it stands for `NAME:any`. */
const mark = '..any';

/**
 * Rewrites dependencies on `NAME:any` for a solver that knows one architecture, and of `:any` neither the version that is
 * asked for nor who may be meant by it: as one on another name, which packages with `Multi-Arch: allowed` provide, with
 * their versions.
 *
 * @param paragraph a package as lists of packages have it
 */
export function spelledOut(paragraph: string): string {
  const asked = paragraph.replace(relations, (field) => field.replaceAll(/:any\b/g, mark));
  return /^Multi-Arch:[ \t]*allowed[ \t]*$/im.test(paragraph) ? withOffers(asked) : asked;
}

/** What the solver says, in the words of the lists: it adds its architecture to each name. */
export function asWritten(said: string): string {
  return said.replaceAll(/\.\.any(?::[\w-]+)?/g, ':any');
}

const relations = /^(?:Pre-Depends|Depends|Conflicts|Breaks):.*(?:\n[ \t].*)*$/gim;

function withOffers(paragraph: string): string {
  const [, name = ''] = /^Package:[ \t]*(\S+)/im.exec(paragraph) ?? [];
  const [, version = ''] = /^Version:[ \t]*(\S+)/im.exec(paragraph) ?? [];
  const [whole, others = ''] = /^Provides:(.*(?:\n[ \t].*)*)$/im.exec(paragraph) ?? [];
  const given = others.split(',').flatMap((one) => one.trim() || []);
  const ours = [`${name} (= ${version})`, ...given].map((one) => one.replace(/^[^\s(:]+/, (called) => called + mark));
  const line = `Provides: ${[...given, ...ours].join(', ')}`;
  return whole === undefined ? `${paragraph}\n${line}` : paragraph.replace(whole, () => line);
}
