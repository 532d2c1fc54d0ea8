import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const writer = fileURLToPath(new URL('capture.pl', import.meta.url));

/** Milliseconds for it to end once it is told so. */
const patience = 10_000;

/** A network of this host: the multicast group that is one of virtual machines, or an interface. */
export type HeardNetwork = { readonly group: string; readonly port: number } | { readonly link: string };

/** Where what is heard is kept. */
export interface CaptureFile {
  readonly path: string;
  /** Bytes of the file at most. */
  readonly limit: number;
}

/** A capture that goes on. */
export interface Capture {
  /** Ends it; all that was sent before is in the file. @returns whether it had ended before, because the file was full */
  end(): Promise<{ readonly cut: boolean }>;
}

/**
 * Writes whatever passes through a network of this host to a file, whole frames with their times, as `pcap`. A process
 * of its own does that, which ends with this one.
 *
 * @throws an error that says what it lacks: the interface, or the right to listen to it
 */
export async function captureNetwork(network: HeardNetwork, { path, limit }: CaptureFile): Promise<Capture> {
  const where = 'link' in network ? ['link', network.link] : ['group', network.group, String(network.port)];
  const child = spawn('perl', [writer, path, String(limit), ...where], { stdio: 'pipe' });
  // One that has ended hears nothing.
  child.stdin.on('error', () => {});
  const [output, said] = [textOf(child.stdout), textOf(child.stderr)];
  const ended = once(child, 'close').then(([code]: unknown[]) => {
    if (code !== 0) throw new Error(said().trim() || `perl ended with ${code}`);
  });
  const begun = new Promise<void>((resolve) => child.stdout.once('data', () => resolve()));
  // Whoever ends it hears of that.
  ended.catch(() => {});
  await Promise.race([begun, ended]);
  return {
    async end() {
      child.stdin.end();
      const late = setTimeout(() => child.kill('SIGKILL'), patience);
      await ended.finally(() => clearTimeout(late));
      return { cut: output().includes('cut\n') };
    },
  };
}

function textOf(stream: NodeJS.ReadableStream): () => string {
  let text = '';
  stream.setEncoding('utf8').on('data', (part: string) => {
    text = (text + part).slice(-1_000);
  });
  return () => text;
}
