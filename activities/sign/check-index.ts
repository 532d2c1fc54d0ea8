import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { type Paragraph, parseControl } from '../../pipelines/formats/deb/control.ts';
import { parseChecksums, parseRelease } from '../../pipelines/formats/deb/release.ts';
import { type MetadataFile, parsePrimary, parseRepomd } from '../../pipelines/formats/rpm/repodata.ts';

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
  return text.trimStart().startsWith('<') ? offeredByRepomd(text, read) : offeredByRelease(text, read);
}

/** Apt may take any of these: they must be of the same content. */
const otherDigests = [
  ['MD5Sum', 'md5'],
  ['SHA1', 'sha1'],
  ['SHA512', 'sha512'],
] as const;

async function offeredByRelease(text: string, read: ReadContent): Promise<readonly OfferedFile[]> {
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
    const paragraphs = parseControl(await unpack(content, packing));
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

function binary({ Package: name = '', Filename: path = '', SHA256: sha256 }: Paragraph): OfferedFile {
  if (sha256 === undefined) throw new OpaqueIndex(`package ${name} has no SHA256`);
  return { name: path.split('/').at(-1) ?? name, sha256 };
}

/** The files of a source package; every field that names some must name the same. */
function sourceFiles(fields: Paragraph): readonly OfferedFile[] {
  const found = parseChecksums(fields['Checksums-Sha256'] ?? '');
  const known = new Set(found.map(({ path }) => path));
  const lists = Object.entries(fields).filter(([key]) => key === 'Files' || key.startsWith('Checksums-'));
  for (const { path } of lists.flatMap(([, value]) => parseChecksums(value ?? ''))) {
    if (!known.has(path)) throw new OpaqueIndex(`source ${fields.Package} names ${path} without a SHA256`);
  }
  return found.map(({ path, sha256 }) => ({ name: path, sha256 }));
}

const metadataTypes = ['primary', 'filelists', 'other'];

async function offeredByRepomd(text: string, read: ReadContent): Promise<readonly OfferedFile[]> {
  const { files } = parseRepomd(text);
  const odd = files.find(({ type, checksumType }) => !metadataTypes.includes(type) || checksumType !== 'sha256');
  if (odd !== undefined) throw new OpaqueIndex(`repomd.xml leads to ${odd.path} (${odd.type}), which nobody looks at`);
  const lists = await Promise.all(files.map(async (file) => ({ file, content: await unpackMetadata(file, read) })));
  const primaries = lists.filter(({ file }) => file.type === 'primary');
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

async function unpackMetadata({ path, checksum }: MetadataFile, read: ReadContent): Promise<string> {
  return unpack(await read(checksum), path.endsWith('.gz') ? '.gz' : '');
}

async function unpack(content: Buffer, packing: string): Promise<string> {
  const plain = packing === '' ? content : await promisify(gunzip)(content, { maxOutputLength: longest });
  return plain.toString();
}
