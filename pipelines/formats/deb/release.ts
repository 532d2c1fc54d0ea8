import { parseControl } from './control.ts';

/** A file that an index vouches for; `path` is relative to the index's own base directory. */
export interface VouchedFile {
  readonly path: string;
  readonly size: number;
  readonly sha256: string;
}

/** What a `Release` or `InRelease` file says. */
export interface Release {
  readonly origin: string;
  readonly codename: string;
  readonly suite: string;
  readonly components: readonly string[];
  readonly architectures: readonly string[];
  readonly acquireByHash: boolean;
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
    acquireByHash: fields['Acquire-By-Hash'] === 'yes',
    files: parseChecksums(fields.SHA256 ?? ''),
  };
}

/** Reads the lines of a `SHA256:` or `Checksums-Sha256:` field. */
export function parseChecksums(field: string): VouchedFile[] {
  return field.split('\n').flatMap((line) => {
    const [sha256, size, path] = line.trim().split(/\s+/);
    return sha256 && size && path ? [{ path, size: Number(size), sha256 }] : [];
  });
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
