import { type DigestAlgorithm, type DigestedFile, strongest } from '../digest.ts';
import { type Paragraph, parseControl } from './control.ts';

/** A file that an index vouches for; `path` is relative to the index's own base directory. */
export interface VouchedFile {
  readonly path: string;
  readonly size: number;
  readonly sha256: string;
}

/** The component of packages with debug symbols, where they have lists of their own. */
export const debugComponent = 'debug';

/** What a `Release` or `InRelease` file says. */
export interface Release {
  readonly origin: string;
  readonly codename: string;
  readonly suite: string;
  readonly components: readonly string[];
  readonly architectures: readonly string[];
  /** Relative to the directory of the Release file. */
  readonly files: readonly VouchedFile[];
}

/** Reads a `Release` file, or the text inside a clear-signed `InRelease`; the signature is not looked at. */
export function parseRelease(text: string): Release {
  const fields = parseControl(clearText(text))[0] ?? {};
  return {
    origin: fields.Origin ?? '',
    codename: fields.Codename ?? '',
    suite: fields.Suite ?? '',
    components: words(fields.Components),
    architectures: words(fields.Architectures),
    files: parseChecksums(fields.SHA256 ?? ''),
  };
}

/** When a `Release` file was made; milliseconds since the epoch, NaN where it does not say. */
export function releaseDate(text: string): number {
  return Date.parse(lowered(parseControl(clearText(text))[0] ?? {})('Date'));
}

/**
 * Why APT refuses a `Release` file for its dates: one that is dated ahead, or past its `Valid-Until`.
 *
 * @param now milliseconds since the epoch
 * @returns null where it does not, or where a date cannot be read, as APT has it.
 */
export function judgeDates(text: string, now: number): string | null {
  const field = lowered(parseControl(clearText(text))[0] ?? {});
  const [date, until] = ['Date', 'Valid-Until'].map((name) => Date.parse(field(name)));
  if (date !== undefined && date > now + tolerance)
    return `it is dated ahead (${field('Date')}): APT refuses it until then`;
  if (until === undefined || !(until < now)) return null;
  return `its Valid-Until (${field('Valid-Until')}) has passed: APT refuses it, unless it is told otherwise`;
}

/** Milliseconds that a clock may be ahead of another (Acquire::Max-FutureTime). */
const tolerance = 10_000;

/** Reads the lines of a `SHA256:` or `Checksums-Sha256:` field. */
export function parseChecksums(field: string): VouchedFile[] {
  return field.split('\n').flatMap((line) => {
    const [sha256, size, path] = line.trim().split(/\s+/);
    return sha256 && size && path ? [{ path, size: Number(size), sha256 }] : [];
  });
}

const releaseFields = { sha512: 'SHA512', sha256: 'SHA256', sha1: 'SHA1', md5: 'MD5Sum' } as const;
const sourceFields = { sha512: 'Checksums-Sha512', sha256: 'Checksums-Sha256', sha1: 'Checksums-Sha1', md5: 'Files' };
const packageFields = { sha512: 'SHA512', sha256: 'SHA256', sha1: 'SHA1', md5: 'MD5sum' } as const;

/** Every file that a `Release` or `InRelease` names, each with the strongest hash that it gives. */
export function releaseFiles(text: string): DigestedFile[] {
  return listedFiles(parseControl(clearText(text))[0] ?? {}, releaseFields);
}

/** The files of a source package in `Sources`, below its directory. */
export function sourceFiles(source: Paragraph): DigestedFile[] {
  return listedFiles(source, sourceFields);
}

/** The file of a package in `Packages`. */
export function packageFile(one: Paragraph): DigestedFile {
  const field = lowered(one);
  const hashes = Object.entries(packageFields).map(([algorithm, name]) => [algorithm, field(name)] as const);
  return { path: field('Filename'), size: Number(field('Size')), digest: strongest(Object.fromEntries(hashes)) };
}

function listedFiles(paragraph: Paragraph, fields: Partial<Record<DigestAlgorithm, string>>): DigestedFile[] {
  const field = lowered(paragraph);
  const found = new Map<string, { size: number; hashes: Partial<Record<DigestAlgorithm, string>> }>();
  for (const [algorithm, name] of Object.entries(fields)) {
    // The lines of every such field have the same form, whatever hash stands in front.
    for (const { path, size, sha256: hash } of parseChecksums(field(name))) {
      const { hashes } = found.get(path) ?? { hashes: {} };
      found.set(path, { size, hashes: { ...hashes, [algorithm]: hash } });
    }
  }
  return [...found].map(([path, { size, hashes }]) => ({ path, size, digest: strongest(hashes) }));
}

/** Fields by name whatever its case, as dpkg and APT read them. */
function lowered(paragraph: Paragraph): (name: string) => string {
  const fields = new Map(Object.entries(paragraph).map(([name, value]) => [name.toLowerCase(), value]));
  return (name) => fields.get(name.toLowerCase())?.trim() ?? '';
}

function clearText(text: string): string {
  if (!text.startsWith('-----BEGIN PGP SIGNED MESSAGE-----')) return text;
  const start = text.indexOf('\n\n') + 2;
  const end = text.indexOf('\n-----BEGIN PGP SIGNATURE-----');
  return text.slice(start, end < 0 ? undefined : end).replace(/^- /gm, '');
}

function words(field: string | undefined): string[] {
  return (field ?? '').split(/\s+/).filter((word) => word !== '');
}
