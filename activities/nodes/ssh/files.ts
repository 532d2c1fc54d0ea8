import { PassThrough } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { quoted } from '../../process/quoted.ts';
import { pack } from '../pack.ts';
import type { TakeLimits, TakenFile } from '../port.ts';
import { RefusedContent } from '../refused-content.ts';
import { unpack } from '../unpack.ts';
import { codeOf, openChannel } from './exec.ts';
import type { Remote } from './remote.ts';

/** What is taken out where the caller says nothing else. */
export const usualLimits: TakeLimits = { files: 10_000, bytes: 4 * 1024 ** 3 };

/** Copies a host file or a directory's content into a directory of a machine. */
export function put({ line, root }: Remote, hostPath: string, directory: string): Promise<void> {
  return line.use(async (client) => {
    // Without KVM a program that is not run saves a tenth of a second.
    const script = '[ -d "$1" ] || mkdir -p -- "$1" && exec tar -x -p --no-overwrite-dir -C "$1"';
    const channel = await openChannel(line, client, quoted([...root, 'sh', '-c', script, 'sh', directory]));
    let said = '';
    channel.resume();
    channel.stderr.on('data', (text: Buffer) => {
      said = (said + text.toString()).slice(-2_000);
    });
    const code = codeOf(line, channel);
    const { archive, ended } = await pack(hostPath);
    // A machine that ends before it has read all says why by its code.
    const sent = pipeline(archive, channel.stdin as unknown as NodeJS.WritableStream).catch(() => {});
    await Promise.all([ended, sent]);
    if ((await code) !== 0) throw new Error(`files cannot be copied to ${directory}: ${said.trim()}`);
  });
}

/** What is copied out of a machine, and where to. */
export interface Transfer {
  readonly from: string;
  readonly to: string;
  readonly limits: TakeLimits;
}

/** Copies files out; nothing that the machine sends is trusted. */
export function take({ line, root }: Remote, { from, to, limits }: Transfer): Promise<readonly TakenFile[]> {
  return line.use(async (client) => {
    const cut = from.replace(/\/+$/, '').lastIndexOf('/');
    const [parent, name] = [from.slice(0, cut) || '/', from.slice(cut + 1)];
    const tar = quoted([...root, 'tar', '-c', '--format=posix', '-C', parent, '--', name]);
    const channel = await openChannel(line, client, tar);
    let said = '';
    channel.stderr.on('data', (text: Buffer) => {
      said = (said + text.toString()).slice(-2_000);
    });
    const code = codeOf(line, channel);
    code.catch(() => {});
    // What stops reading ends a stream of its own: a channel that is destroyed halfway may never say that it has ended.
    const archive = channel.pipe(new PassThrough());
    channel.once('close', () => archive.end());
    try {
      const taken = await unpack(archive, to, limits);
      if ((await code) !== 0) throw new Error(`${from} cannot be copied: ${said.trim()}`);
      return taken;
    } catch (error) {
      channel.unpipe(archive).resume().close();
      if (error instanceof RefusedContent) throw error;
      if (/Unexpected end of data|premature/i.test(String(error)))
        throw line.lost(`copy ${from} out`, said.trim() || error);
      throw error;
    }
  });
}
