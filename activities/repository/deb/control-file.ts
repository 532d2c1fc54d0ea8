import { basename } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { must } from '../../process/run.ts';
import { RepositoryRefusal } from '../port.ts';

/**
 * The control file of a binary package, read from its archive: `dpkg-deb --field` starts two programs more and writes to
 * the disk, which takes twice the time.
 *
 * @throws RepositoryRefusal where there is not one regular file of that name: programs would read different ones. An
 *   error where dpkg-deb cannot read the package.
 */
export async function readControl(file: string): Promise<string> {
  const { stdout } = await must('dpkg-deb', ['--ctrl-tarfile', '--', file], { encoding: 'latin1' });
  const found: (Buffer | null)[] = [];
  // Who only publishes reads no archive: a command line starts sooner without it.
  const { extract } = await import('tar-stream');
  const entries = extract();
  entries.on('entry', ({ name, type }, content, next) => {
    if (!isControl(name)) return content.on('end', next).resume();
    const keep = (bytes: Buffer) => void found.push(type === 'file' ? bytes : null);
    buffer(content).then(keep).then(next, next);
  });
  await pipeline(Readable.from([Buffer.from(stdout, 'latin1')]), entries);
  const [control] = found;
  if (found.length === 1 && control) return control.toString();
  const has = found.length === 1 ? 'a control file that is no regular file' : `${found.length} control files`;
  throw new RepositoryRefusal(`${basename(file)} has ${has}: build it with dpkg-deb`);
}

function isControl(name: string): boolean {
  const parts = name.split('/').filter((part) => part !== '' && part !== '.');
  return parts.length === 1 && parts[0] === 'control';
}
