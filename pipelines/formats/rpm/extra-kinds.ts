/**
 * What a repository may say beside its lists of packages: groups of packages, streams of modules, advisories. In the
 * order that modifyrepo_c gives them.
 */
export const extraKinds = ['comps', 'modules', 'updateinfo'] as const;
export type ExtraKind = (typeof extraKinds)[number];

/** What `repomd.xml` calls each, the form that is preferred first. */
export const extraTypes: Readonly<Record<ExtraKind, readonly [own: string, ...others: string[]]>> = {
  updateinfo: ['updateinfo'],
  comps: ['group', 'group_gz'],
  modules: ['modules'],
};

/** The kind of a type that `repomd.xml` names; undefined for another one. */
export function extraKindOf(type: string): ExtraKind | undefined {
  return extraKinds.find((kind) => extraTypes[kind].includes(type));
}
