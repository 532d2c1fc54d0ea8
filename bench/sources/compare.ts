import type { LintRemark } from '../../pipelines/model/lint.ts';
import type { BuiltPackage } from './packages.ts';

/** Fields that differ between any two builds: of sizes in KiB, and of digests of what was compiled. */
const unlike = new Set(['Installed-Size', 'Build-Ids']);

/**
 * A text without what sets two builds of one source apart: the count of commits in Sluice's versions, and the digests
 * by which debug symbols are found.
 */
export function plainText(text: string): string {
  return text
    .replace(/\+c1(?![0-9])/g, '')
    .replace(/\.build-id\/[0-9a-f]{2}(?:\/[0-9a-f]+(?:\.debug)?)?/g, '.build-id/…');
}

/** Where the packages of Sluice are not those of Debian's own tools: one line for each difference. */
export function comparePackages(debian: readonly BuiltPackage[], sluice: readonly BuiltPackage[]): readonly string[] {
  const ids = new Set([...debian, ...sluice].map(({ id }) => id));
  return [...ids].flatMap((id) => {
    const [theirs, ours] = [debian, sluice].map((all) => all.find((one) => one.id === id));
    if (ours === undefined) return [`${id}: not built`];
    if (theirs === undefined) return [`${id}: built besides`];
    return [
      ...compareVersions(theirs, ours),
      ...compareFields(theirs, ours),
      ...compareLines(theirs, ours),
      ...compareScripts(theirs, ours),
    ].map((difference) => `${id}: ${difference}`);
  });
}

function compareVersions(debian: BuiltPackage, sluice: BuiltPackage): string[] {
  const [theirs, ours] = [debian, sluice].map(({ version }) => plainText(version));
  return theirs === ours ? [] : [`version ${sluice.version} for ${debian.version}`];
}

function compareFields(debian: BuiltPackage, sluice: BuiltPackage): string[] {
  const names = new Set([...Object.keys(debian.fields), ...Object.keys(sluice.fields)]);
  return [...names]
    .filter((name) => !unlike.has(name) && name !== 'Version' && debian.fields[name] !== sluice.fields[name])
    .map((name) => `${name}: ${sluice.fields[name] ?? 'nothing'} for ${debian.fields[name] ?? 'nothing'}`);
}

function compareLines(debian: BuiltPackage, sluice: BuiltPackage): string[] {
  const lost = debian.files.filter((line) => !sluice.files.includes(line)).map((line) => `lacks ${line}`);
  return [...lost, ...sluice.files.filter((line) => !debian.files.includes(line)).map((line) => `has besides ${line}`)];
}

function compareScripts(debian: BuiltPackage, sluice: BuiltPackage): string[] {
  const names = new Set([...Object.keys(debian.scripts), ...Object.keys(sluice.scripts)]);
  return [...names].filter((name) => debian.scripts[name] !== sluice.scripts[name]).map((name) => `another ${name}`);
}

/** Files whose content differs: what a build writes about its own time and version is among them. */
export function otherContents(debian: readonly BuiltPackage[], sluice: readonly BuiltPackage[]): readonly string[] {
  return debian.flatMap(({ id, contents }) => {
    const ours = sluice.find((one) => one.id === id)?.contents ?? {};
    return Object.keys(contents).filter((name) => name in ours && ours[name] !== contents[name]);
  });
}

/** Errors of the checker that only one of both builds has. Numbers in a remark do not make it another one. */
export function compareErrors(debian: readonly LintRemark[], sluice: readonly LintRemark[]): readonly string[] {
  const [theirs, ours] = [debian, sluice].map((remarks) => {
    return [...new Set(remarks.filter(({ severity }) => severity === 'error').map(errorLine))];
  });
  return [
    ...(ours ?? []).filter((line) => !theirs?.includes(line)).map((line) => `only Sluice's has ${line}`),
    ...(theirs ?? []).filter((line) => !ours?.includes(line)).map((line) => `only Debian's has ${line}`),
  ];
}

function errorLine({ package: name, tag, detail }: LintRemark): string {
  return `${name}: ${tag} ${plainText(detail).replace(/[0-9]+/g, '#')}`.trim();
}
