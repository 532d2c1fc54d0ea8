import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { pipeline } from 'node:stream/promises';
import { quoted } from '../../../../process/quoted.ts';
import { endingOf, openChannel } from '../../../ssh/exec.ts';
import type { Shell } from './shell.ts';

const unpack = 'umask 077; mkdir -- "$1" && exec tar -xSf - --no-same-owner -C "$1"';

/** Copies the files of a directory of this machine into a new one of a host. @throws an error with the words of who failed */
export function bring(shell: Shell, directory: string, to: string): Promise<void> {
  return shell.use(async (client) => {
    const channel = await openChannel(shell, client, quoted(['sh', '-c', unpack, 'sh', to]));
    const words: string[] = [];
    const hear = (text: Buffer) => void words.push(text.toString());
    channel.resume().stderr.on('data', hear);
    const { exit, closed } = endingOf(channel);
    const unpacked = exit.then(([code]) => code === 0);
    unpacked.catch(() => {});
    const packer = spawn('tar', ['-cSf', '-', '-C', directory, '.'], { stdio: ['ignore', 'pipe', 'pipe'] });
    packer.stderr.on('data', hear);
    const packed = once(packer, 'close').then(([code]) => code === 0);
    // Who reads no more says why by its code.
    const sent = pipeline(packer.stdout, channel.stdin as unknown as NodeJS.WritableStream).catch(() => packer.kill());
    await Promise.all([sent, closed]);
    if (!(await packed) || !(await unpacked)) {
      throw new Error(`${directory} cannot be copied to ${to}: ${words.join('').trim().slice(-500)}`);
    }
  });
}
