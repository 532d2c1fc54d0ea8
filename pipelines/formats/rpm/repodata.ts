import { child, type Element, parseXml } from './xml.ts';

/** One metadata file that `repomd.xml` names; `path` is relative to the repository. */
export interface MetadataFile {
  readonly type: string;
  readonly path: string;
  readonly size: number;
  readonly checksumType: string;
  readonly checksum: string;
}

/** One package of `primary.xml`; `path` is relative to the repository. */
export interface PrimaryPackage {
  readonly name: string;
  readonly epoch: string;
  readonly version: string;
  readonly release: string;
  readonly arch: string;
  readonly path: string;
  readonly size: number;
  readonly checksumType: string;
  readonly checksum: string;
}

/** Reads `repomd.xml`. @throws RangeError when it is no XML or names no file. */
export function parseRepomd(text: string): { readonly revision: string; readonly files: readonly MetadataFile[] } {
  const root = parseXml(text);
  if (root.name !== 'repomd') throw new RangeError(`this is <${root.name}>, not <repomd>`);
  const files = root.children.filter((one) => one.name === 'data').map(metadataFile);
  return { revision: child(root, 'revision')?.text.trim() ?? '', files };
}

/** Reads `primary.xml`. */
export function parsePrimary(text: string): PrimaryPackage[] {
  return parseXml(text)
    .children.filter((one) => one.name === 'package')
    .map(primaryPackage);
}

/** `[EPOCH:]VERSION-RELEASE`, the epoch left out when it is 0. */
export function evr(of: Pick<PrimaryPackage, 'epoch' | 'version' | 'release'>): string {
  const epoch = of.epoch === '' || of.epoch === '0' || of.epoch === '(none)' ? '' : `${of.epoch}:`;
  return `${epoch}${of.version}-${of.release}`;
}

function metadataFile(data: Element): MetadataFile {
  const checksum = child(data, 'checksum');
  return {
    type: data.attributes.type ?? '',
    path: child(data, 'location')?.attributes.href ?? '',
    size: Number(child(data, 'size')?.text ?? Number.NaN),
    checksumType: checksum?.attributes.type ?? '',
    checksum: checksum?.text.trim() ?? '',
  };
}

function primaryPackage(element: Element): PrimaryPackage {
  const version = child(element, 'version')?.attributes ?? {};
  const checksum = child(element, 'checksum');
  return {
    name: child(element, 'name')?.text ?? '',
    arch: child(element, 'arch')?.text ?? '',
    epoch: version.epoch ?? '0',
    version: version.ver ?? '',
    release: version.rel ?? '',
    path: child(element, 'location')?.attributes.href ?? '',
    size: Number(child(element, 'size')?.attributes.package ?? Number.NaN),
    checksumType: checksum?.attributes.type ?? '',
    checksum: checksum?.text.trim() ?? '',
  };
}
