import { chown, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { must } from '../../activities/process/run.ts';
import { freePort, untilListening } from '../../infra/stack/ports.ts';
import { type Program, startProgram } from './program.ts';

/** Milliseconds that a start may take. */
const patience = 60_000;

export interface ZooKeeper extends Program {
  readonly port: number;
  /** Files of the client's key and certificate, and of who signs both sides'. */
  readonly tls: { readonly key: string; readonly cert: string; readonly ca: string };
}

/** Debian's ZooKeeper, by TLS alone, as Zuul wants it. Client and server have one certificate. */
export async function startZooKeeper(home: string): Promise<ZooKeeper> {
  const directory = join(home, 'zookeeper');
  await mkdir(join(directory, 'data'), { recursive: true });
  const [key, cert, both] = [join(directory, 'key.pem'), join(directory, 'cert.pem'), join(directory, 'both.pem')];
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'];
  await must('openssl', ['req', '-x509', '-nodes', '-days', '2', ...curve, ...subject, '-keyout', key, '-out', cert]);
  await writeFile(both, (await readFile(key, 'utf8')) + (await readFile(cert, 'utf8')));
  const port = await freePort();
  const settings = {
    dataDir: join(directory, 'data'),
    secureClientPort: port,
    secureClientPortAddress: '127.0.0.1',
    serverCnxnFactory: 'org.apache.zookeeper.server.NettyServerCnxnFactory',
    'ssl.keyStore.location': both,
    'ssl.trustStore.location': cert,
    'ssl.hostnameVerification': false,
    'ssl.clientHostnameVerification': false,
    'admin.enableServer': false,
    tickTime: 2000,
    maxClientCnxns: 60,
  };
  const file = join(directory, 'zoo.cfg');
  const lines = Object.entries(settings).map((pair) => `${pair.join('=')}\n`);
  await writeFile(file, lines.join(''));
  const main = 'org.apache.zookeeper.server.quorum.QuorumPeerMain';
  const jars = ['zookeeper', 'netty-codec', 'netty-resolver', 'slf4j-simple'];
  const classPath = jars.map((name) => `/usr/share/java/${name}.jar`).join(':');
  const log = join(home, 'zookeeper.log');
  const program = startProgram(['java', '-Xmx512m', '-cp', classPath, main, file], log);
  if (!(await untilListening('127.0.0.1', port, { patience }))) throw new Error(`ZooKeeper does not start: ${log}`);
  return { ...program, port, tls: { key, cert, ca: cert } };
}

export interface Database extends Program {
  readonly url: string;
}

/** Debian's PostgreSQL, whatever its version is, in a directory of its own user's. */
export async function startDatabase(): Promise<Database> {
  const versions = await readdir('/usr/lib/postgresql');
  const programs = join('/usr/lib/postgresql', versions.sort().at(-1) ?? '', 'bin');
  const home = await mkdtemp(join(tmpdir(), 'sluice-bench-postgresql-'));
  const numberOf = async (flag: string) => Number((await must('id', [flag, 'postgres'])).stdout);
  await chown(home, await numberOf('-u'), await numberOf('-g'));
  const as = ['--reuid=postgres', '--regid=postgres', '--clear-groups'];
  const data = join(home, 'data');
  await must('setpriv', [...as, join(programs, 'initdb'), '--auth=trust', '--username=zuul', '--pgdata', data]);
  const port = await freePort();
  const listen = ['-c', 'listen_addresses=127.0.0.1', '-c', `unix_socket_directories=${home}`, '-p', String(port)];
  const program = startProgram([join(programs, 'postgres'), '-D', data, ...listen], join(home, 'log'), as);
  await program.said(/ready to accept connections/, patience);
  return {
    ...program,
    url: `postgresql://zuul@127.0.0.1:${port}/postgres`,
    async stop() {
      await program.stop();
      await rm(home, { recursive: true, force: true });
    },
  };
}
