import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { must } from '../../activities/process/run.ts';

/** Makes `count` small DEB packages, the same ones each time; answers with the files. @param from number of the first */
export async function makeDebs(directory: string, count: number, from = 0): Promise<string[]> {
  await mkdir(directory, { recursive: true });
  const files: string[] = [];
  for (let at = from; at < from + count; at += 1) {
    const name = nameOf(at);
    const file = join(directory, `${name}_1.0-1_amd64.deb`);
    await writeFile(file, debOf(name, at));
    files.push(file);
  }
  return files;
}

/** The same for RPM: one package of rpmbuild's with other names of the same length, and the digests that go with them. */
export async function makeRpms(directory: string, count: number, from = 0): Promise<string[]> {
  await mkdir(directory, { recursive: true });
  const template = await buildTemplate();
  const files: string[] = [];
  for (let at = from; at < from + count; at += 1) {
    const file = join(directory, `${nameOf(at)}-1.0-1.noarch.rpm`);
    await writeFile(file, renamed(template, nameOf(at)));
    files.push(file);
  }
  return files;
}

async function buildTemplate(): Promise<Buffer> {
  const work = await mkdtemp(join(tmpdir(), 'sluice-template-'));
  try {
    await writeFile(join(work, 'a.spec'), spec);
    const defines = [`_topdir ${work}`, '_build_id_links none', '_buildhost localhost'];
    await must('rpmbuild', ['-bb', ...defines.flatMap((one) => ['--define', one]), join(work, 'a.spec')]);
    return await readFile(join(work, `RPMS/noarch/${nameOf(0)}-1.0-1.noarch.rpm`));
  } finally {
    await rm(work, { recursive: true });
  }
}

/** The lead is followed by the header of signatures, filled up to eight bytes, the header proper and the payload. */
function renamed(template: Buffer, name: string): Buffer {
  const file = Buffer.from(template);
  const header = lead + Math.ceil(headerSize(file, lead) / 8) * 8;
  const payload = header + headerSize(file, header);
  const digests = () => [
    hash('sha1', file.subarray(header, payload)).toString('hex'),
    hash('sha256', file.subarray(header, payload)).toString('hex'),
    hash('md5', file.subarray(header)).toString('latin1'),
  ];
  const old = digests();
  replace(file.subarray(header, payload), nameOf(0), name);
  for (const [position, digest] of digests().entries())
    replace(file.subarray(lead, header), old[position] ?? '', digest);
  return file;
}

const lead = 96;

function headerSize(file: Buffer, at: number): number {
  return 16 + 16 * file.readUInt32BE(at + 8) + file.readUInt32BE(at + 12);
}

function hash(algorithm: string, bytes: Buffer): Buffer {
  return createHash(algorithm).update(bytes).digest();
}

function replace(bytes: Buffer, from: string, to: string): void {
  for (let at = bytes.indexOf(from, 0, 'latin1'); at >= 0; at = bytes.indexOf(from, at + 1, 'latin1')) {
    bytes.write(to, at, 'latin1');
  }
}

/** All names are of one length. */
function nameOf(at: number): string {
  return `${['alpha', 'gamma', 'delta', 'theta', 'kappa'][at % 5]}${String(at).padStart(6, '0')}`;
}

const spec = `Name: ${nameOf(0)}
Version: 1.0
Release: 1
Summary: the package ${nameOf(0)}
License: MIT
BuildArch: noarch
AutoReqProv: no
Requires: /bin/sh
Provides: feature(${nameOf(0)}) = 1
%description
It is there to be one of many.
%install
mkdir -p %{buildroot}/usr/share/${nameOf(0)}
echo data > %{buildroot}/usr/share/${nameOf(0)}/data
%files
/usr/share/${nameOf(0)}/
%changelog
* Fri Nov 27 2026 Somebody <somebody@example.org> - 1.0-1
- The first version.
`;

function debOf(name: string, at: number): Buffer {
  const control = `Package: ${name}
Version: 1.0-1
Architecture: amd64
Maintainer: Somebody <somebody@example.org>
Installed-Size: 8
Depends: libc6 (>= 2.36), ${nameOf(Math.max(0, at - 1))}
Section: misc
Priority: optional
Description: package number ${at} of many
 It is there to be one of many, namely
 number ${at}.
`;
  const data = tar([[`./usr/share/${name}/data`, `${at}\n`]]);
  return ar([
    ['debian-binary', Buffer.from('2.0\n')],
    ['control.tar.gz', gzipSync(tar([['./control', control]]), { level: 1 })],
    ['data.tar.gz', gzipSync(data, { level: 1 })],
  ]);
}

function tar(files: readonly (readonly [name: string, text: string])[]): Buffer {
  const parts = files.flatMap(([name, text]) => {
    const content = Buffer.alloc(Math.ceil(Buffer.byteLength(text) / 512) * 512);
    content.write(text);
    return [tarHeader(name, Buffer.byteLength(text)), content];
  });
  return Buffer.concat([...parts, Buffer.alloc(1024)]);
}

function tarHeader(name: string, size: number): Buffer {
  const header = Buffer.alloc(512);
  const octal = (value: number, length: number) => `${value.toString(8).padStart(length - 1, '0')}\0`;
  const fields = [name.padEnd(100, '\0'), octal(0o644, 8), octal(0, 8), octal(0, 8), octal(size, 12), octal(0, 12)];
  header.write(`${fields.join('')}        0`, 'latin1');
  header.write('ustar\x0000', 257, 'latin1');
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return header;
}

function ar(members: readonly (readonly [name: string, content: Buffer])[]): Buffer {
  const parts = members.flatMap(([name, content]) => {
    const header = `${name.padEnd(16)}${'0'.padEnd(12)}${'0'.padEnd(6)}${'0'.padEnd(6)}${'100644'.padEnd(8)}`;
    const padding = content.length % 2 === 1 ? '\n' : '';
    return [Buffer.from(`${header}${String(content.length).padEnd(10)}\`\n`), content, Buffer.from(padding)];
  });
  return Buffer.concat([Buffer.from('!<arch>\n'), ...parts]);
}
