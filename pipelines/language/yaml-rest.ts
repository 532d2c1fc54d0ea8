import type { ParsedNode } from 'yaml';
import { type Fault, parseText } from './yaml-document.ts';

/** An entry that cannot be read, as far as its text tells what it would have been. */
export interface LostEntry {
  readonly offset: number;
  readonly kind: string;
  /** Absent where none is to be seen. */
  readonly name?: string;
}

/** What is left of a text that is not YAML without the entries that are at fault. */
export interface Rest {
  readonly contents: ParsedNode | null;
  /** Of each entry that cannot be read the first one: what follows in it is of its making. */
  readonly faults: readonly Fault[];
  readonly lost: readonly LostEntry[];
  /** Whether an anchor was lost with them. */
  readonly isLost: (anchor: string) => boolean;
}

/** Part of a text, from one entry of the list to the next. */
interface Piece {
  readonly offset: number;
  readonly text: string;
}

/** Entries of one file that are looked at, after one of them was found wrong. */
const mostPieces = 20_000;

/**
 * Reads the entries of a list by themselves, to find all that are at fault, and the others together: they share anchors.
 *
 * @returns undefined where that finds nothing: the text is no list, or the fault is between its entries
 */
export function parseRest(text: string): Rest | undefined {
  const bad: Piece[] = [];
  const faults: Fault[] = [];
  const pieces = piecesOf(text);
  // Each is read by itself: a file of more is no configuration.
  if (pieces.length > mostPieces) return undefined;
  for (const piece of pieces) {
    const fault = faultIn(piece.text);
    if (fault === undefined) continue;
    bad.push(piece);
    // What is never closed is found at the end: that is still the entry's own.
    const within = Math.min(fault.offset, piece.text.trimEnd().length - 1);
    faults.push({ ...fault, offset: piece.offset + within });
  }
  if (bad.length === 0) return undefined;
  const rest = parseText(without(text, bad));
  if ('fault' in rest) return undefined;
  const anchors = new Set(bad.flatMap((piece) => [...piece.text.matchAll(/&([^\s,[\]{}]+)/g)].map(([, name]) => name)));
  const isLost = (anchor: string) => anchors.has(anchor);
  return { contents: rest.contents, faults, lost: bad.flatMap(lostIn), isLost };
}

function piecesOf(text: string): readonly Piece[] {
  const indent = /^( *)-(?: |$)/m.exec(text)?.[1];
  // A file is one document.
  if (indent === undefined || /^(?:---|\.\.\.)(?:\s|$)/m.test(text.slice(text.search(/^ *-(?: |$)/m)))) return [];
  const starts = [...text.matchAll(new RegExp(`^${indent}-(?: |$)`, 'gm'))].map(({ index }) => index);
  return starts.map((offset, index) => ({ offset, text: text.slice(offset, starts[index + 1]) }));
}

function faultIn(text: string): Fault | undefined {
  try {
    const parsed = parseText(text);
    return 'fault' in parsed ? parsed.fault : undefined;
  } catch (error) {
    if (error instanceof RangeError) return { offset: 0, message: 'YAML: nested too deeply' };
    throw error;
  }
}

/** Blanks pieces, so that all that is left stays in its place. */
function without(text: string, pieces: readonly Piece[]): string {
  const kept: string[] = [];
  let end = 0;
  for (const piece of pieces) {
    kept.push(text.slice(end, piece.offset), piece.text.replace(/[^\n]/g, ' '));
    end = piece.offset + piece.text.length;
  }
  return [...kept, text.slice(end)].join('');
}

function lostIn({ offset, text }: Piece): readonly LostEntry[] {
  const kind = /^ *- *([\w-]+):/.exec(text)?.[1];
  if (kind === undefined) return [];
  const name = /\bname: *["']?([^\s"',{}]+)/.exec(text)?.[1];
  return [{ offset, kind, ...(name === undefined ? {} : { name }) }];
}
