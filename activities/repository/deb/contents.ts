import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { baseEnvironment } from '../../process/run.ts';

/**
 * What a package brings: paths, and whether each is a directory, which packages share. Read from the archive itself:
 * a list for people says ambiguously, and by the language of whoever runs it, how a file is called.
 *
 * @throws where dpkg-deb cannot read the package
 */
export async function contents(file: string): Promise<ReadonlyMap<string, string>> {
  if (file.endsWith('.dsc')) return new Map();
  const found = new Map<string, string>();
  // Who only publishes reads no archive: a command line starts sooner without it.
  const { extract } = await import('tar-stream');
  const entries = extract();
  entries.on('entry', ({ name, type }, content, next) => {
    const path = name.split('/').filter((part) => part !== '' && part !== '.');
    // Directories are shared. dpkg overwrites no other package's file whatever is in it.
    const kind = type === 'directory' ? 'd' : type === 'symlink' ? 'l' : '-';
    if (path.length > 0) found.set(`/${path.join('/')}`, kind === 'd' ? kind : `${kind} ${file}`);
    content.on('end', next).resume();
  });
  await readArchive(file, entries);
  return found;
}

async function readArchive(file: string, entries: NodeJS.WritableStream): Promise<void> {
  const child = spawn('dpkg-deb', ['--fsys-tarfile', '--', file], {
    env: baseEnvironment(),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = new Promise<number | null>((resolve, reject) => child.on('error', reject).on('close', resolve));
  const [read, code, said] = await Promise.allSettled([pipeline(child.stdout, entries), ended, text(child.stderr)]);
  if (code.status === 'rejected') throw code.reason;
  if (code.value !== 0) {
    const reason = said.status === 'fulfilled' ? said.value.trim() : '';
    throw new Error(`dpkg-deb cannot read ${file}: ${reason || `it ended with ${code.value}`}`);
  }
  if (read.status === 'rejected') throw read.reason;
}
