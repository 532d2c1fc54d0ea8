import { open } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { beginPerl, type LiveProgram } from '../process/begin.ts';
import { EngineUnavailable } from './engine-unavailable.ts';

const writer = fileURLToPath(new URL('capture.pl', import.meta.url));

/** Milliseconds for it to listen, and to end once it is told so. */
const patience = 10_000;

/** A network of a host: the multicast group that is one of virtual machines, or an interface. */
export type HeardNetwork = { readonly group: string; readonly port: number } | { readonly link: string };

/** Where what is heard is kept, on this host. */
export interface CaptureFile {
  readonly path: string;
  /** Bytes of the file at most. */
  readonly limit: number;
}

/** Begins the program that listens, on the host that the network is of. */
export type BeginListening = (args: readonly string[]) => Promise<LiveProgram>;

/** A capture that goes on. */
export interface Capture {
  /**
   * Ends it; all that was sent before is in the file.
   *
   * @returns whether it had ended before: because the file was full, or, with the reason, its host was lost
   */
  end(): Promise<{ readonly cut: boolean; readonly lost?: string }>;
}

/**
 * Writes whatever passes through a network of a host to a file of this one, whole frames with their times, as `pcap`. A
 * process of its own listens there, which ends with this one.
 *
 * @param listen begins that; absent: on this host
 * @throws an error that says what it lacks: the interface, or the right to listen to it; or that it does not listen in time
 */
export async function captureNetwork(
  network: HeardNetwork,
  { path, limit }: CaptureFile,
  listen: BeginListening = (args) => beginPerl(writer, args),
): Promise<Capture> {
  const where = 'link' in network ? ['link', network.link] : ['group', network.group, String(network.port)];
  const file = await open(path, 'w');
  const program = await listen([String(limit), ...where]).catch(async (error) => {
    await file.close();
    throw error;
  });
  const said = textOf(program.stderr);
  const written = pipeline(program.stdout, file.createWriteStream());
  const ended = program.ended.then((code) => {
    if (code !== 0) throw new Error(said().trim() || `perl ended with ${code}`);
  });
  // Whoever ends it hears of that.
  for (const each of [written, ended]) each.catch(() => {});
  await listening(program, said, ended);
  return {
    async end() {
      program.stop();
      const late = setTimeout(() => program.kill(), patience);
      const [how] = await Promise.allSettled([ended, written]);
      clearTimeout(late);
      // What has come until then is all there is.
      if (how.status === 'rejected' && how.reason instanceof EngineUnavailable) {
        return { cut: true, lost: how.reason.message };
      }
      await Promise.all([ended, written]);
      return { cut: said().endsWith('cut\n') };
    },
  };
}

/** What it says when it listens; a shell or Perl on its host may have had words before. */
const ready = 'ready\n';

async function listening(program: LiveProgram, said: () => string, ended: Promise<void>): Promise<void> {
  const listens = () => said().includes(ready);
  const begun = new Promise<void>((resolve) => program.stderr.on('data', () => listens() && resolve()));
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    program.kill();
    late.reject(new Error(`it does not listen after ${patience / 1000} s: ${said().trim() || 'it says nothing'}`));
  }, patience);
  await Promise.race([begun, ended, late.promise]).finally(() => clearTimeout(timer));
  if (!listens()) throw new Error(said().trim() || 'it has ended before it listens');
}

function textOf(stream: NodeJS.ReadableStream): () => string {
  let text = '';
  stream.setEncoding('utf8').on('data', (part: string) => {
    text = (text + part).slice(-1_000);
  });
  return () => text;
}
