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

/** One package of `filelists.xml`. */
export interface FileList extends Pick<PrimaryPackage, 'name' | 'epoch' | 'version' | 'release' | 'arch'> {
  /** A directory's has `/` at its end. */
  readonly paths: readonly string[];
}

/** Reads `filelists.xml`. */
export function parseFilelists(text: string): FileList[] {
  return parseXml(text)
    .children.filter((one) => one.name === 'package')
    .map((one) => {
      const { epoch = '0', ver = '', rel = '' } = child(one, 'version')?.attributes ?? {};
      const { name = '', arch = '' } = one.attributes;
      const files = one.children.filter((each) => each.name === 'file');
      const paths = files.map(({ text: path, attributes: { type } }) => (type === 'dir' ? `${path}/` : path));
      return { name, arch, epoch, version: ver, release: rel, paths };
    });
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

/**
 * Where programs may read `repomd.xml` or `primary.xml` in different ways, which a signature must not cover: some take
 * the first of two checksums and some the last, some look at namespaces and some at names.
 *
 * @returns what is wrong; undefined where all read the same
 * @throws RangeError when it is no XML
 */
export function metadataFault(text: string, kind: 'repomd' | 'primary'): string | undefined {
  const { name, children } = parseXml(text);
  const [root, entry] = kind === 'repomd' ? ['repomd', 'data'] : ['metadata', 'package'];
  if (name !== root) return `it is <${name}>, not <${root}>`;
  for (const one of children) {
    if (kind === 'repomd' && (one.name === 'revision' || one.name === 'tags')) continue;
    if (one.name !== entry) return `it has <${one.name}>`;
    const fault = entryFault(one);
    if (fault !== undefined) return `<${entry}> of ${child(one, 'location')?.attributes.href ?? 'nowhere'} ${fault}`;
  }
  return undefined;
}

function entryFault(entry: Element): string | undefined {
  for (const wanted of ['checksum', 'location']) {
    const found = entry.children.filter(({ name }) => name.split(':').at(-1) === wanted);
    const [only] = found;
    if (found.length !== 1 || only?.name !== wanted) return `has not just one <${wanted}>`;
    if (only.children.length > 0) return `has more than text in <${wanted}>`;
    if (wanted === 'location' && Object.keys(only.attributes).join() !== 'href') return 'leads elsewhere';
  }
  return undefined;
}
