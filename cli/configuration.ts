import { type BigIntStats, statSync } from 'node:fs';
import { type Config, InvalidConfiguration, type LoadOptions, loadConfig } from '../infra/config/load.ts';
import { misused } from './fault.ts';

type Asked = Pick<LoadOptions, 'file' | 'data'>;

/** What was read last: a command asks for it to find its server, and again to do its work. */
let last: { readonly asked: string; readonly config: Config } | undefined;

/**
 * The configuration that `--config` names, or `./sluice.yaml`, or the defaults.
 *
 * @param options `file`: what `--config` was given; `data`: replaces its `data`
 * @throws CommandError with status 2 that names every problem with its place.
 */
export function readConfiguration(options: Asked = {}): Config {
  const asked = allThatCounts(options);
  if (last?.asked === asked) return last.config;
  try {
    const config = loadConfig(options);
    last = { asked, config };
    return config;
  } catch (error) {
    if (error instanceof InvalidConfiguration) throw misused(error.message);
    throw error;
  }
}

/** Nothing of a file that cannot be seen: whoever reads it says why. */
function lookAt(file: string): BigIntStats | undefined {
  try {
    return statSync(file, { bigint: true });
  } catch {
    return undefined;
  }
}

/** Which file it is as it stands, and what it may refer to. */
function allThatCounts({ file, data }: Asked): string {
  const found = lookAt(file ?? 'sluice.yaml');
  const standing = found && [found.dev, found.ino, found.ctimeNs, found.mtimeNs, found.size].join(' ');
  return JSON.stringify([file, data, process.cwd(), standing, process.env]);
}
