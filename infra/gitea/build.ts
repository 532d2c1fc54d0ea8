import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { access, cp, mkdir, readFile, rename, rm } from 'node:fs/promises';
import { delimiter, join, resolve } from 'node:path';
import { must } from '../../activities/process/run.ts';

/** A Gitea that was built: its program, and the files that it reads. */
export interface GiteaBuild {
  readonly program: string;
  /** Templates and options, as its sources have them. */
  readonly root: string;
}

const source = 'code.gitea.io/gitea';
const tools = resolve(import.meta.dirname, '../../.tools/gitea');
/** Milliseconds that a build may take on a machine that others keep busy. */
const patience = 40 * 60_000;

/**
 * Builds Gitea as `go.mod` pins it, unless that was done before. Who comes while another builds waits for them.
 *
 * @returns null where there is neither a build nor a Go compiler
 */
export async function buildGitea(): Promise<GiteaBuild | null> {
  const pins = await Promise.all(['go.mod', 'go.sum'].map((name) => readFile(join(import.meta.dirname, name))));
  const digest = createHash('sha256').update(Buffer.concat(pins)).digest('hex').slice(0, 16);
  const place = join(tools, digest);
  const built = { program: join(place, 'gitea'), root: place };
  if (await isThere(built.program)) return built;
  const go = await findGo();
  if (go === null) return null;
  await mkdir(tools, { recursive: true });
  const make = [process.execPath, import.meta.filename, '--make', go, place];
  await must('flock', [join(tools, 'lock'), ...make], { env: goEnvironment(), timeout: patience });
  return built;
}

/** The compiler that is on the path, or where its own and Debian's packages put it. */
async function findGo(): Promise<string | null> {
  const directories = (process.env.PATH ?? '').split(delimiter).filter(Boolean);
  const places = [...directories, '/usr/local/go/bin', '/usr/lib/go/bin'].map((each) => join(each, 'go'));
  for (const place of places) if (await isThere(place)) return place;
  return null;
}

async function isThere(program: string): Promise<boolean> {
  return access(program, constants.X_OK).then(
    () => true,
    () => false,
  );
}

/**
 * Where Go keeps what it has downloaded and compiled, if the machine says so. The compiler collects less garbage, and
 * SQLite is not optimized: building costs minutes, and this server is for trying things out.
 */
function goEnvironment(): Record<string, string> {
  const names = ['GOPATH', 'GOCACHE', 'GOMODCACHE', 'GOPROXY', 'GOSUMDB', 'GONOSUMDB', 'HTTPS_PROXY', 'HTTP_PROXY'];
  const given = Object.fromEntries(names.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])));
  return { GOGC: '400', CGO_CFLAGS: '-O0', ...given };
}

/** Runs alone: under the lock. */
async function make(go: string, place: string): Promise<void> {
  if (await isThere(join(place, 'gitea'))) return;
  const partial = `${place}.partial`;
  await rm(partial, { recursive: true, force: true });
  await mkdir(partial, { recursive: true });
  const inModule = { cwd: import.meta.dirname, env: goEnvironment(), timeout: patience };
  // Without debug symbols the linker needs half of the memory, and without inlining the compiler a third less time.
  const flags = ['-buildvcs=false', '-tags', 'sqlite sqlite_unlock_notify', '-gcflags', 'all=-l', '-ldflags', '-s -w'];
  await must(go, ['build', ...flags, '-o', join(partial, 'gitea'), source], inModule);
  const { stdout } = await must(go, ['list', '-m', '-f', '{{.Dir}}', source], inModule);
  for (const name of ['templates', 'options']) {
    await cp(join(stdout.trim(), name), join(partial, name), { recursive: true });
  }
  await rename(partial, place);
}

if (import.meta.main) {
  const [mode, go, place] = process.argv.slice(2);
  if (mode === '--make' && go !== undefined && place !== undefined) await make(go, place);
  else console.log((await buildGitea())?.program ?? 'there is no Gitea, and no Go compiler to build it with');
}
