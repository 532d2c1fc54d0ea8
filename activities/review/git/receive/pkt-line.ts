import type { Readable, Writable } from 'node:stream';

/** One section of the protocol: its lines up to the flush packet. */
export type Section = readonly string[];

const lengthDigits = 4;

/** Reads Git's pkt-line framing, a section at a time. */
export function createPktReader(input: Readable): () => Promise<Section> {
  const chunks = input[Symbol.asyncIterator]();
  let buffer = Buffer.alloc(0);
  const take = async (size: number): Promise<Buffer> => {
    while (buffer.length < size) {
      const next = await chunks.next();
      if (next.done) throw new Error('git ended in the middle of a packet');
      buffer = Buffer.concat([buffer, next.value as Buffer]);
    }
    const taken = buffer.subarray(0, size);
    buffer = buffer.subarray(size);
    return taken;
  };
  return async () => {
    const lines: string[] = [];
    for (;;) {
      const length = Number.parseInt((await take(lengthDigits)).toString('latin1'), 16);
      if (length === 0) return lines;
      if (!(length >= lengthDigits)) throw new Error('git sent a packet of impossible length');
      lines.push((await take(length - lengthDigits)).toString('utf8').replace(/\n$/, ''));
    }
  };
}

/** Writes one section, flush packet included. */
export function writeSection(output: Writable, lines: Section): void {
  const packets = lines.map((line) => {
    const size = Buffer.byteLength(line) + lengthDigits;
    return `${size.toString(16).padStart(lengthDigits, '0')}${line}`;
  });
  output.write(`${packets.join('')}0000`);
}
