const headerSize = 64;
const segmentSize = 56;
/** ELF's number of the machine that runs this. */
const machine = process.arch === 'arm64' ? 183 : 62;

/** The bytes of a 64-bit shared object that needs nothing and says where its libraries are: by DT_RUNPATH, or DT_RPATH. */
export function sharedObject(places: string, tag: 'rpath' | 'runpath' = 'runpath'): Buffer {
  const text = Buffer.from(`\0${places}\0`);
  const dynamic = headerSize + 2 * segmentSize;
  const strings = dynamic + 4 * 16;
  const file = Buffer.alloc(strings + text.length);
  const words = (at: number, values: readonly number[]) =>
    values.forEach((value, index) => {
      file.writeBigUInt64LE(BigInt(value), at + 8 * index);
    });
  const segment = (at: number, kind: readonly [type: number, flags: number], values: readonly number[]) => {
    file.writeUInt32LE(kind[0], at);
    file.writeUInt32LE(kind[1], at + 4);
    words(at + 8, values);
  };
  file.write('\x7fELF\x02\x01\x01', 'latin1');
  for (const [at, value] of [
    [16, 3],
    [18, machine],
    [20, 1],
    [52, headerSize],
    [54, segmentSize],
    [56, 2],
  ] as const)
    file.writeUInt16LE(value, at);
  words(32, [headerSize]);
  segment(headerSize, [1, 6], [0, 0, 0, file.length, file.length, 4096]);
  segment(headerSize + segmentSize, [2, 6], [dynamic, dynamic, dynamic, 64, 64, 8]);
  words(dynamic, [5, strings, 6, strings, tag === 'rpath' ? 15 : 29, 1, 0, 0]);
  text.copy(file, strings);
  return file;
}
