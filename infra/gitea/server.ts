import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { must } from '../../activities/process/run.ts';
import { freePort, untilListening } from '../stack/ports.ts';
import type { GiteaBuild } from './build.ts';

/** A Gitea that runs. */
export interface GiteaServer {
  readonly url: string;
  /** A token of its administrator, who is called `root`. */
  readonly token: string;
  /** `ssh://USER@HOST:PORT`, and the line of `known_hosts` for it. */
  readonly ssh: { readonly url: string; readonly known: string };
  /** Ends it; it can be started again. */
  stop(): Promise<void>;
  start(): Promise<void>;
}

/** Milliseconds until it answers, on a machine that others keep busy. */
const patience = 120_000;

/** Starts a Gitea that keeps everything in a directory; the port is a free one. @throws with its log when it ends */
export async function startGitea(build: GiteaBuild, directory: string): Promise<GiteaServer> {
  const [port, sshPort] = [await freePort(), await freePort()];
  const url = `http://127.0.0.1:${port}`;
  const config = join(directory, 'app.ini');
  await mkdir(directory, { recursive: true });
  await writeFile(config, settings({ directory, port, sshPort, root: build.root }), { mode: 0o600 });
  // Its own would be one of 4,096 bits, which takes seconds.
  await must('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'gitea', '-f', join(directory, 'host-key')]);
  const known = `[127.0.0.1]:${sshPort} ${await readFile(join(directory, 'host-key.pub'), 'utf8')}`;
  const ssh = { url: `ssh://git@127.0.0.1:${sshPort}`, known };
  const env = { GITEA_WORK_DIR: directory, GITEA_I_AM_BEING_UNSAFE_RUNNING_AS_ROOT: 'true', HOME: directory };
  const command = (...args: string[]) => must(build.program, ['--config', config, ...args], { env, timeout: patience });
  await command('migrate');
  const person = ['--username', 'root', '--password', 'root-password', '--email', 'root@example.org'];
  await command('admin', 'user', 'create', '--admin', '--must-change-password=false', ...person);
  const made = await command(...'admin user generate-access-token --username root --scopes all --raw'.split(' '));
  // What Gitea logs meanwhile comes before it or after it.
  const token = /^[0-9a-f]{40}$/m.exec(made.stdout)?.[0];
  if (token === undefined) throw new Error(`Gitea gives no token: ${made.stdout}`);
  let stop = async () => {};
  const start = async () => {
    stop = await launch(build.program, { config, directory, env });
    if (await untilListening('127.0.0.1', port, { patience })) return;
    await stop();
    throw new Error(`Gitea does not answer: ${(await readFile(join(directory, 'log'), 'utf8')).slice(-2_000)}`);
  };
  await start();
  return { url, ssh, token, start, stop: () => stop() };
}

interface Launch {
  readonly config: string;
  readonly directory: string;
  readonly env: Readonly<Record<string, string>>;
}

async function launch(program: string, { config, directory, env }: Launch): Promise<() => Promise<void>> {
  const log = createWriteStream(join(directory, 'log'), { flags: 'a' });
  await once(log, 'open');
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', program, '--config', config, 'web'], {
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', log, log],
  });
  const ended = once(child, 'close');
  return async () => {
    child.kill('SIGTERM');
    await ended;
    log.close();
  };
}

interface Place {
  readonly directory: string;
  readonly port: number;
  readonly sshPort: number;
  readonly root: string;
}

function settings({ directory, port, sshPort, root }: Place): string {
  return `RUN_USER = ${process.env.USER ?? 'root'}
RUN_MODE = prod
WORK_PATH = ${directory}
[server]
HTTP_ADDR = 127.0.0.1
HTTP_PORT = ${port}
ROOT_URL = http://127.0.0.1:${port}/
STATIC_ROOT_PATH = ${root}
APP_DATA_PATH = ${directory}/data
START_SSH_SERVER = true
BUILTIN_SSH_SERVER_USER = git
SSH_LISTEN_HOST = 127.0.0.1
SSH_PORT = ${sshPort}
SSH_SERVER_HOST_KEYS = ${directory}/host-key
OFFLINE_MODE = true
LFS_START_SERVER = true
LFS_JWT_SECRET = ${randomBytes(32).toString('base64url')}
[database]
DB_TYPE = sqlite3
PATH = ${directory}/gitea.db
[repository]
ROOT = ${directory}/repositories
DEFAULT_BRANCH = master
[security]
INSTALL_LOCK = true
PASSWORD_HASH_ALGO = pbkdf2_v1
MIN_PASSWORD_LENGTH = 6
[service]
DISABLE_REGISTRATION = true
[webhook]
ALLOWED_HOST_LIST = *
[indexer]
ISSUE_INDEXER_TYPE = db
[actions]
ENABLED = false
[cron]
ENABLED = false
[other]
SHOW_FOOTER_VERSION = false
[log]
LEVEL = Warn
`;
}
