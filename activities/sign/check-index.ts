import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { controlFault, type Paragraph, parseControl } from '../../pipelines/formats/deb/control.ts';
import { parseChecksums, parseRelease } from '../../pipelines/formats/deb/release.ts';
import { extraFault } from '../../pipelines/formats/rpm/extra.ts';
import { extraKindOf } from '../../pipelines/formats/rpm/extra-kinds.ts';
import { type MetadataFile, metadataFault, parsePrimary, parseRepomd } from '../../pipelines/formats/rpm/repodata.ts';

/** A file that an index offers to clients. */
export interface OfferedFile {
  readonly name: string;
  readonly sha256: string;
}

/** An index that offers something that could not be looked at. */
export class OpaqueIndex extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'OpaqueIndex';
  }
}

/** Reads the content of a SHA-256, in hex. */
export type ReadContent = (sha256: string) => Promise<Buffer>;

/** Bytes that a list may unpack to. */
const longest = 1 << 30;

/**
 * Every package file that a Release file or a repomd.xml leads clients to, read from the lists that it names.
 *
 * @throws OpaqueIndex for an index that leads to more than can be looked at here: it is not to be signed.
 */
export async function offeredFiles(text: string, read: ReadContent): Promise<readonly OfferedFile[]> {
  const readKnown: ReadContent = (sha256) => read(requireDigest(sha256));
  const offered = text.trimStart().startsWith('<')
    ? await offeredByRepomd(text, readKnown)
    : await offeredByRelease(text, readKnown);
  for (const { sha256 } of offered) requireDigest(sha256);
  return offered;
}

function requireDigest(sha256: string): string {
  if (!/^[0-9a-f]{64}$/.test(sha256)) throw new OpaqueIndex(`${JSON.stringify(sha256.slice(0, 80))} is no SHA-256`);
  return sha256;
}

/** What programs may read in different ways is not signed: clients would see what was not looked at here. */
function requireClear(what: string, faultOf: () => string | undefined): void {
  let fault: string | undefined;
  try {
    fault = faultOf();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    fault = error.message;
  }
  if (fault !== undefined) throw new OpaqueIndex(`${what} can be read in more ways than one: ${fault}`);
}

/** Apt may take any of these: they must be of the same content. */
const otherDigests = [
  ['MD5Sum', 'md5'],
  ['SHA1', 'sha1'],
  ['SHA512', 'sha512'],
] as const;

async function offeredByRelease(text: string, read: ReadContent): Promise<readonly OfferedFile[]> {
  requireClear('the Release file', () => controlFault(text));
  const [fields = {}, ...more] = parseControl(text);
  if (more.length > 0 || text.startsWith('-----BEGIN')) throw new OpaqueIndex('this is no Release file');
  const { files } = parseRelease(text);
  requireNamed(fields, new Set(files.map(({ path }) => path)));
  const offered: OfferedFile[] = [];
  for (const { path, sha256 } of files) {
    const [, list, packing = ''] = /(?:^|\/)(Packages|Sources|Release)(\.gz)?$/.exec(path) ?? [];
    if (list === undefined) throw new OpaqueIndex(`the Release file leads to ${path}, which is no list of packages`);
    const content = await read(sha256);
    requireSame(fields, path, content);
    if (list === 'Release') continue;
    const unpacked = await unpack(path, content, packing);
    requireClear(path, () => controlFault(unpacked));
    const paragraphs = parseControl(unpacked);
    offered.push(...paragraphs.flatMap((one) => (list === 'Packages' ? [binary(one)] : sourceFiles(one))));
  }
  return offered;
}

function requireNamed(fields: Paragraph, known: ReadonlySet<string>): void {
  for (const [field] of otherDigests) {
    const more = parseChecksums(fields[field] ?? '').find(({ path }) => !known.has(path));
    if (more !== undefined) throw new OpaqueIndex(`the Release file names ${more.path} without a SHA-256`);
  }
}

function requireSame(fields: Paragraph, path: string, content: Buffer): void {
  for (const [field, algorithm] of otherDigests) {
    const is = createHash(algorithm).update(content).digest('hex');
    const said = parseChecksums(fields[field] ?? '').filter((one) => one.path === path);
    // Read by position: the column of the digest is the same for all.
    if (said.some(({ sha256 }) => sha256 !== is)) throw new OpaqueIndex(`${path} is not the ${field} of its SHA-256`);
  }
}

/** Apt believes the strongest digest that there is: it must be the one that is looked at here. */
const stronger = /^(?:Checksums-)?sha(?:384|512)$/i;

function requireStrongest(name: string, fields: Paragraph): void {
  const field = Object.keys(fields).find((each) => stronger.test(each));
  if (field !== undefined) throw new OpaqueIndex(`${name} has a ${field}, which nobody looks at`);
}

function binary(fields: Paragraph): OfferedFile {
  const { Package: name = '', Filename: path = '', SHA256: sha256 } = fields;
  if (sha256 === undefined) throw new OpaqueIndex(`package ${name} has no SHA256`);
  requireStrongest(`package ${name}`, fields);
  return { name: path.split('/').at(-1) ?? name, sha256 };
}

/** The files of a source package; every field that names some must name the same. */
function sourceFiles(fields: Paragraph): readonly OfferedFile[] {
  requireStrongest(`source ${fields.Package}`, fields);
  const found = parseChecksums(fields['Checksums-Sha256'] ?? '');
  const known = new Set(found.map(({ path }) => path));
  const lists = Object.entries(fields).filter(([key]) => key === 'Files' || key.startsWith('Checksums-'));
  for (const { path } of lists.flatMap(([, value]) => parseChecksums(value ?? ''))) {
    if (!known.has(path)) throw new OpaqueIndex(`source ${fields.Package} names ${path} without a SHA256`);
  }
  return found.map(({ path, sha256 }) => ({ name: path, sha256 }));
}

const listTypes = ['primary', 'filelists', 'other'];

async function offeredByRepomd(text: string, read: ReadContent): Promise<readonly OfferedFile[]> {
  requireClear('repomd.xml', () => metadataFault(text, 'repomd'));
  const { files } = parseRepomd(text);
  for (const file of files) requirePlain(file, files);
  const all = await Promise.all(files.map(async (file) => ({ file, content: await unpackMetadata(file, read) })));
  for (const { file, content } of all) requireReadable(file, content);
  const lists = all.filter(({ file }) => listTypes.includes(file.type));
  const primaries = lists.filter(({ file }) => file.type === 'primary');
  for (const { file, content } of primaries) requireClear(file.path, () => metadataFault(content, 'primary'));
  const offered = primaries
    .flatMap(({ content }) => parsePrimary(content))
    .map((one): OfferedFile => {
      if (one.checksumType !== 'sha256') throw new OpaqueIndex(`package ${one.name} has no SHA-256`);
      return { name: one.path.split('/').at(-1) ?? one.name, sha256: one.checksum };
    });
  const known = new Set(offered.map(({ sha256 }) => sha256));
  for (const { file, content } of lists.filter(({ file: { type } }) => type !== 'primary')) {
    for (const [, id = ''] of content.matchAll(/\bpkgid\s*=\s*["']([^"']*)["']/g)) {
      if (!known.has(id)) throw new OpaqueIndex(`${file.path} speaks of a package that primary.xml has not`);
    }
  }
  return offered;
}

/** Where a file of the metadata may be: beside the index, and nowhere else. */
const besideIndex = /^repodata\/[A-Za-z0-9][A-Za-z0-9._-]*$/;

function requirePlain({ type, path, checksumType }: MetadataFile, all: readonly MetadataFile[]): void {
  const known = listTypes.includes(type) || extraKindOf(type) !== undefined;
  const odd = `repomd.xml leads to ${path} (${type})`;
  if (!known || checksumType !== 'sha256') throw new OpaqueIndex(`${odd}, which nobody looks at`);
  if (!besideIndex.test(path)) throw new OpaqueIndex(`${odd}, which is not beside it`);
  if (all.filter((one) => one.type === type).length > 1) throw new OpaqueIndex(`${odd}, and to another ${type}`);
}

/** Advisories, groups and modules lead to no file; what is signed is what all clients can read. */
function requireReadable({ type, path }: MetadataFile, content: string): void {
  const kind = extraKindOf(type);
  const fault = kind === undefined ? null : extraFault(kind, content);
  if (fault !== null) throw new OpaqueIndex(`${path}:${fault.line}: ${fault.message}`);
}

async function unpackMetadata({ path, size, checksum }: MetadataFile, read: ReadContent): Promise<string> {
  const content = await read(checksum);
  if (content.length !== size) throw new OpaqueIndex(`${path} has ${content.length} bytes, not ${size}`);
  return unpack(path, content, path.endsWith('.gz') ? '.gz' : '');
}

async function unpack(path: string, content: Buffer, packing: string): Promise<string> {
  if (packing === '') return content.toString();
  const plain = await promisify(gunzip)(content, { maxOutputLength: longest }).catch((error: Error) => {
    throw new OpaqueIndex(`${path} cannot be unpacked: ${error.message}`);
  });
  return plain.toString();
}
