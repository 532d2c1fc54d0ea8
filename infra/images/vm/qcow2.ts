import { open } from 'node:fs/promises';
import { must } from '../../../activities/process/run.ts';

/** Bytes of a file that say what it is: an ISO image does so after 32 KiB. */
const headSize = 32_774;

/** Offsets and marks by the format's description (docs/interop/qcow2.txt of QEMU). */
const magic = Buffer.from('QFI\xfb', 'latin1');
const headerSize = 104;
const dataFileBit = 4n;

/** What reads a stranger's disk may take: `prlimit`'s options, in bytes and seconds. */
export const confined = ['--as=1073741824', '--cpu=30', '--core=0'];

/** Milliseconds for a conversion: as long as a large disk takes on a slow one. */
const converting = 3_600_000;

const isoMark = { at: 32_769, text: 'CD001' } as const;

const others: readonly (readonly [name: string, at: number, mark: string])[] = [
  ['an ISO image: name it as `iso`, with what its installer is to be told', isoMark.at, isoMark.text],
  ['compressed with xz: unpack it first', 0, '\xfd7zXZ'],
  ['compressed with gzip: unpack it first', 0, '\x1f\x8b'],
  ['compressed with zstd: unpack it first', 0, '\x28\xb5\x2f\xfd'],
  ['a disk of VMware: make a qcow2 of it with qemu-img convert', 0, 'KDMV'],
  ['a web page', 0, '<'],
  ['a raw disk: make a qcow2 of it with qemu-img convert', 510, '\x55\xaa'],
];

/**
 * Why a file cannot be the disk of a machine, by its first bytes: before any tool opens it, for what a tool opens may
 * name files of this host as its own.
 *
 * @returns null where it can
 */
export function whyNoDisk(head: Buffer): string | null {
  if (!head.subarray(0, magic.length).equals(magic)) {
    const found = others.find(([, at, mark]) => head.toString('latin1', at, at + mark.length) === mark);
    return `is no qcow2 disk${found === undefined ? '' : `, but ${found[0]}`}`;
  }
  if (head.length < headerSize) return 'is cut off: a qcow2 disk is longer';
  const version = head.readUInt32BE(4);
  if (version !== 2 && version !== 3) return `is a qcow2 disk of version ${version}, and only 2 and 3 are known`;
  if (head.readBigUInt64BE(8) !== 0n) return 'stands on a backing file, which would be a file of this host';
  if (head.readUInt32BE(32) !== 0) return 'is encrypted';
  if (version === 3 && (head.readBigUInt64BE(72) & dataFileBit) !== 0n) {
    return 'has its data in another file, which would be a file of this host';
  }
  return null;
}

/** Whether a file is an ISO image, by its first bytes. */
export function isIsoImage(head: Buffer): boolean {
  return head.toString('latin1', isoMark.at, isoMark.at + isoMark.text.length) === isoMark.text;
}

/** The first bytes of a file, by which its kind is known. */
export async function headOf(path: string): Promise<Buffer> {
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(headSize), 0, headSize, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

/**
 * What QEMU says of a disk that `whyNoDisk` found nothing wrong with.
 *
 * @returns its size as a machine sees it, in bytes
 * @throws an error in QEMU's words
 */
export async function sizeOfDisk(path: string): Promise<number> {
  const { stdout } = await must('prlimit', [...confined, 'qemu-img', 'info', '-f', 'qcow2', '--output=json', path]);
  const told = JSON.parse(stdout) as { 'virtual-size': number; 'backing-filename'?: string };
  if (told['backing-filename'] !== undefined) throw new Error('it stands on a backing file');
  return told['virtual-size'];
}

/** Writes a disk out, with holes where nothing is: nothing of its format is read any more then. */
export async function writeRaw(from: string, to: string, signal: AbortSignal): Promise<void> {
  const options = { signal, timeout: converting };
  await must('prlimit', ['--core=0', 'qemu-img', 'convert', '-f', 'qcow2', '-O', 'raw', from, to], options);
}
