import { join } from 'node:path';
import { must } from '../../activities/process/run.ts';
import { inDirectory, inspectFile, proveBuild, readProven } from '../../activities/sign/inspect-build.ts';
import { blobPath } from '../../activities/storage/filesystem/blob-store.ts';
import { build, merged, releaseWorld, type World } from '../../test/activities/release/world.ts';

const rounds = 40;
/** Milliseconds for the check of one package. */
const limit = 20;

interface Measured {
  readonly format: string;
  /** Milliseconds: digest, attestation and merged tree of the build. */
  readonly prove: number;
  /** Milliseconds: digest, name, version and architecture of the package. */
  readonly inspect: number;
  readonly both: number;
  /** The fastest round: on a busy machine it tells more than the median. */
  readonly fastest: number;
  /** The format's own tool alone, which unpacks or reads the control data; taken side by side. */
  readonly tool: number;
}

/** What the signer looks at before it signs one package, without the signing itself. */
async function measure(world: World, format: 'deb' | 'rpm'): Promise<Measured> {
  const source = await merged(world, `${format}\n`);
  const manifest = await build(world, { format, source });
  const proof = { ...world.proof, manifest: (digest: string) => readProven(world.store, digest) };
  const times: { prove: number; inspect: number; tool: number }[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const begun = performance.now();
    const proven = await proveBuild(proof, manifest, source.commit);
    const proved = performance.now();
    const [file] = proven.manifest.files;
    if (file === undefined) throw new Error('the build has no file');
    await inDirectory((directory) => inspectFile(world.store, directory, { format, file }));
    const inspected = performance.now();
    await must(...tools[format](blobPath(join(world.directory, 'storage'), file.digest)));
    times.push({ prove: proved - begun, inspect: inspected - proved, tool: performance.now() - inspected });
  }
  const sums = times.map(({ prove, inspect }) => prove + inspect);
  const of = (part: 'prove' | 'inspect' | 'tool') => median(times.map((one) => one[part]));
  const parts = { prove: of('prove'), inspect: of('inspect'), tool: of('tool') };
  return { format, ...parts, both: median(sums), fastest: rounded(Math.min(...sums)) };
}

const tools = {
  deb: (path: string): [string, string[]] => ['dpkg-deb', ['--ctrl-tarfile', '--', path]],
  rpm: (path: string): [string, string[]] => ['rpm', ['-qp', '--nosignature', '--noglob', '--nomanifest', '--', path]],
};

function median(values: readonly number[]): number {
  return rounded(values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0);
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}

const ends: (() => unknown)[] = [];
try {
  const world = await releaseWorld({ after: (end) => void ends.push(end as () => unknown) });
  const checks = [await measure(world, 'deb'), await measure(world, 'rpm')];
  const holds = checks.every(({ both }) => both < limit);
  console.log(JSON.stringify({ bench: 'signer', unit: 'ms', limit, checks, holds }, null, 2));
  if (!holds) process.exitCode = 1;
} finally {
  for (const end of ends.reverse()) await end();
}
