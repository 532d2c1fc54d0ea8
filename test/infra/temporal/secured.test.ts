import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { run } from '../../../activities/process/run.ts';
import { checkout, findTemporal } from '../../../infra/bootstrap/find.ts';
import { checkTemporal } from '../../../infra/compose/check-temporal.ts';
import { connectPatiently } from '../../../infra/compose/connect.ts';
import { loadConfig } from '../../../infra/config/load.ts';
import type { PayloadStore } from '../../../infra/temporal/payloads.ts';
import { secured, type TemporalAddress } from '../../../infra/temporal/secured.ts';
import { type DevServer, startDevServer } from './dev-server.ts';
import { type Authority, type Front, type Issued, openAuthority, openFront, openKeyed } from './front.ts';

const apiKey = 'kanarienvogel-of-temporal';
const namespace = 'default';
const names = ['DNS:localhost', 'IP:127.0.0.1'];

let directory: string;
let server: DevServer;
let authority: Authority;
let ours: Issued;
/** TLS for everybody, TLS for those with a certificate, and TLS for those with a key. */
let fronts: { readonly open: Front; readonly mutual: Front; readonly keyed: Front };
let behind: Front;

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sluice-tls-'));
  server = await startDevServer(findTemporal() ?? assert.fail('there is no Temporal server'), { port: 0 });
  authority = await openAuthority(directory);
  const as = await authority.issue('server', names);
  ours = await authority.issue('sluice', ['DNS:sluice']);
  await server.ready(90_000);
  behind = await openKeyed(server.address, apiKey);
  const front = { as, protocol: 'h2' } as const;
  fronts = {
    open: await openFront({ ...front, to: server.address }),
    mutual: await openFront({ ...front, to: server.address, only: authority.ca }),
    keyed: await openFront({ ...front, to: behind.address }),
  };
  await writeFile(join(directory, 'api-key'), `${apiKey}\n`);
  await writeFile(join(directory, 'wrong-key'), 'kuckuck\n');
});
after(async () => {
  for (const front of [...Object.values(fronts ?? {}), behind]) front?.close();
  await server?.stop();
  await rm(directory, { recursive: true, force: true });
});

const payloads = {} as PayloadStore;

/** One question to Temporal over a connection that is made as a process of Sluice makes it. */
async function ask(temporal: Omit<TemporalAddress, 'namespace'>): Promise<string | undefined> {
  const connected = await connectPatiently({ temporal: { ...temporal, namespace } }, payloads);
  try {
    const { namespaceInfo } = await connected.connection.workflowService.describeNamespace({ namespace });
    return namespaceInfo?.name ?? undefined;
  } finally {
    await connected.close();
  }
}

test('I9: Temporal is reached by TLS, with a certificate of ours, and with an API key', async () => {
  const { open, mutual, keyed } = fronts;
  const { ca } = authority;
  const pair = { certificate: ours.certificate, key: { file: ours.key } };
  assert.equal(await ask({ address: open.address, tls: { ca } }), namespace);
  assert.equal(await ask({ address: mutual.address, tls: { ca, ...pair } }), namespace);
  const key = { file: join(directory, 'api-key') };
  assert.equal(await ask({ address: keyed.address, tls: { ca }, apiKey: key }), namespace);
});

test('I9: what does not fit is said at once, with what to do, and a secret is not in it', async () => {
  const { open, keyed } = fronts;
  const { ca } = authority;
  const other = await authority.issue('other', ['DNS:other']);
  const tls = { ca, certificate: ours.certificate };
  const cases: readonly (readonly [Omit<TemporalAddress, 'namespace'>, RegExp])[] = [
    [{ address: open.address, tls: {} }, /signed by nobody whom Sluice knows: name the authority in temporal\.tls\.ca/],
    [{ address: open.address, tls: { ca, serverName: 'elsewhere' } }, /for another name: .* temporal\.tls\.serverName/],
    [{ address: server.address, tls: { ca } }, /does not speak TLS: leave temporal\.tls and temporal\.apiKey out/],
    [{ address: open.address, tls: { ...tls, key: { file: other.key } } }, /temporal\.tls\.key names is not of/],
    [{ address: open.address, tls: { ...tls, key: { file: ca } } }, /temporal\.tls\.key names is no private key/],
    [{ address: open.address, tls: { ca: ours.key } }, /^temporal\.tls\.ca: \S+sluice\.key holds no certificate/],
    [
      { address: open.address, tls: { ca: '/nowhere' } },
      /^temporal\.tls\.ca: \/nowhere cannot be read: ENOENT: no such file or directory$/,
    ],
    [{ address: keyed.address, tls: { ca } }, /does not let Sluice in: it wants a valid key: temporal\.apiKey/],
    [
      { address: keyed.address, tls: { ca }, apiKey: { file: join(directory, 'wrong-key') } },
      /does not let Sluice in: it wants a valid key: temporal\.apiKey/,
    ],
  ];
  for (const [temporal, message] of cases) {
    await assert.rejects(ask(temporal), (error: Error) => {
      assert.match(error.message, message);
      assert.doesNotMatch(error.message, /kuckuck|PRIVATE/);
      return true;
    });
  }
});

test('an API key goes by TLS alone', async () => {
  const way = await secured({ address: 'a:1', namespace, apiKey: { file: join(directory, 'api-key') } });
  assert.deepEqual(way, { address: 'a:1', tls: {}, apiKey });
});

test('I9: doctor --connection temporal says how Temporal was reached, and what is wrong', async () => {
  const file = join(directory, 'sluice.yaml');
  const configure = (temporal: object) => writeFile(file, JSON.stringify({ data: './data', temporal }));
  const { mutual, open } = fronts;
  const pair = { certificate: './sluice.pem', key: { file: './sluice.key' } };
  await configure({ address: mutual.address, tls: { ca: './ca.pem', ...pair } });
  const main = join(checkout, 'cli/main.ts');
  const command = [main, 'doctor', '--connection', 'temporal', '--config', file];
  const { code, stdout } = await run(process.execPath, command);
  const way = `namespace default at ${mutual.address} by TLS with a certificate of ours`;
  assert.match(stdout, new RegExp(`^ok +login +${way}\nok +rights `));
  assert.equal(code, 0);
  const wrong = async (temporal: object) => {
    await configure(temporal);
    const [found] = await checkTemporal(loadConfig({ file }));
    return found?.ok === false ? found.message : undefined;
  };
  assert.match((await wrong({ address: open.address, tls: {} })) ?? '', /: name the authority in temporal\.tls\.ca$/);
  const none = await wrong({ address: mutual.address, tls: { ca: './ca.pem' } });
  assert.match(none ?? '', /; if it wants a certificate of Sluice: temporal\.tls\.certificate$/);
});
