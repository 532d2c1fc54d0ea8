import { randomBytes, scryptSync } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import { keep } from '../ledger.ts';
import { KeyRefused } from './port.ts';

/** Remembers a wrong PIN, so that it is given to a card once: cards lock after three. */
export interface RefusedPin {
  /** @throws KeyRefused for the PIN that the card has refused before */
  check(pin: string): Promise<void>;
  /** Remembers that the card has refused it. */
  refused(pin: string): Promise<void>;
}

interface Mark {
  readonly salt: string;
  readonly hash: string;
  /** RFC 3339, UTC. */
  readonly time: string;
}

/** @param path a file of the signer's own; it outlives restarts, and whoever asks meanwhile reads it as well */
export function openRefusedPin(path: string): RefusedPin {
  return {
    async check(pin) {
      const mark = await readMark(path);
      if (mark === null) return;
      if (hashOf(pin, mark.salt) !== mark.hash) return rm(path, { force: true });
      throw new KeyRefused(
        `the card refused its PIN on ${mark.time}, and it is not given that one again: cards lock after three wrong ones. Put the right PIN where \`pin\` says; if this one is right by now, remove ${path}`,
      );
    },
    async refused(pin) {
      const salt = randomBytes(16).toString('hex');
      const mark: Mark = { salt, hash: hashOf(pin, salt), time: new Date().toISOString() };
      await keep(path, `${JSON.stringify(mark)}\n`);
    },
  };
}

async function readMark(path: string): Promise<Mark | null> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  return text === null ? null : (JSON.parse(text) as Mark);
}

function hashOf(pin: string, salt: string): string {
  return scryptSync(pin, Buffer.from(salt, 'hex'), 32).toString('hex');
}
