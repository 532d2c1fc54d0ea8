import type { Hash } from 'node:crypto';
import { closeSync, openSync, writeFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { crc32, deflateRaw, inflateRawSync } from 'node:zlib';

/**
 * A part of a packed list: a complete gzip member, which every client reads behind another one. Its header says what is
 * in it, in the field that gzip keeps for such things, so that a list can be changed without being unpacked.
 */
export interface Piece {
  /** Key of its first entry; empty where it holds none. */
  readonly first: string;
  /** Entries in it. */
  readonly count: number;
  /** Bytes when unpacked. */
  readonly length: number;
  readonly packed: Buffer;
  /** The same unpacked, where that was at hand and is what the root index says. */
  readonly plain?: Buffer;
  /** Where that is in the list, and the hash of all up to its end. */
  readonly known?: { readonly end: number; readonly hash: Hash };
}

/** Bytes before the subfield's own data: gzip's fixed header, the length of the field, the subfield's head. */
const start = 16;
const fixed = Buffer.from([0x1f, 0x8b, 0x08, 0x04, 0, 0, 0, 0, 0, 3]);
/** The subfield's name; another form of it would get another. */
const name = 'S1';
const trailer = 8;

/** Packs a text with its first key and the number of its entries; all as bytes. */
export async function packPiece(first: string, count: number, text: Buffer): Promise<Piece> {
  const body = await promisify(deflateRaw)(text, { level: 9 });
  const key = Buffer.from(first, 'latin1');
  const header = Buffer.alloc(start + 12 + key.length);
  fixed.copy(header);
  header.writeUInt16LE(header.length - 12, 10);
  header.write(name, 12, 'latin1');
  header.writeUInt16LE(12 + key.length, 14);
  header.writeUInt32LE(header.length + body.length + trailer, start);
  header.writeUInt32LE(text.length, start + 4);
  header.writeUInt32LE(count, start + 8);
  key.copy(header, start + 12);
  const tail = Buffer.alloc(trailer);
  tail.writeUInt32LE(crc32(text), 0);
  tail.writeUInt32LE(text.length % 2 ** 32, 4);
  return { first, count, length: text.length, packed: Buffer.concat([header, body, tail]) };
}

/** Writes a packed list. Put together first, a large one would stand twice in memory. */
export function writePieces(path: string, pieces: readonly Piece[]): void {
  const file = openSync(path, 'w', 0o644);
  try {
    for (const { packed } of pieces) writeFileSync(file, packed);
  } finally {
    closeSync(file);
  }
}

/** The pieces of a packed list; null for one that was not made of them. */
export function readPieces(list: Buffer): Piece[] | null {
  const pieces: Piece[] = [];
  for (let at = 0; at < list.length; ) {
    const piece = pieceAt(list, at);
    if (piece === null) return null;
    pieces.push(piece);
    at += piece.packed.length;
  }
  return pieces;
}

function pieceAt(list: Buffer, at: number): Piece | null {
  const rest = list.subarray(at);
  if (rest.length < start + 12 || !rest.subarray(0, fixed.length).equals(fixed)) return null;
  if (rest.toString('latin1', 12, 14) !== name) return null;
  const key = rest.readUInt16LE(14) - 12;
  const packed = rest.subarray(0, rest.readUInt32LE(start));
  if (key < 0 || packed.length !== rest.readUInt32LE(start) || packed.length < start + 12 + key + trailer) return null;
  const first = rest.toString('latin1', start + 12, start + 12 + key);
  return { first, count: rest.readUInt32LE(start + 8), length: rest.readUInt32LE(start + 4), packed };
}

/** Unpacks a piece. @throws Error when it is damaged */
export function openPiece({ packed, length, plain }: Piece): Buffer {
  if (plain !== undefined) return plain;
  const body = packed.subarray(12 + packed.readUInt16LE(10), -trailer);
  // In one go, and a byte more, so that it is not asked for a second one: Node's usual pieces take twice the time.
  const chunkSize = Math.max(length + 1, 64);
  const text = inflateRawSync(body, { finishFlush: 2, chunkSize, maxOutputLength: Math.max(length, 1) });
  if (text.length === length && crc32(text) === packed.readUInt32LE(packed.length - trailer)) return text;
  throw new Error('a list of packages is damaged');
}
