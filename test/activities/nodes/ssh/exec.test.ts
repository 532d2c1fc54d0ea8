import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import ssh2 from 'ssh2';
import { execute, say } from '../../../../activities/nodes/ssh/exec.ts';
import type { Line } from '../../../../activities/nodes/ssh/line.ts';
import { openTargetLine } from '../../../../activities/nodes/ssh/target.ts';

/** Milliseconds that the server's words come after the exit code, as those of a busy sshd do. */
const late = 1_300;

let server: ssh2.Server;
let line: Line;
before(async () => {
  const [host, mine] = [ssh2.utils.generateKeyPairSync('ed25519'), ssh2.utils.generateKeyPairSync('ed25519')];
  server = new ssh2.Server({ hostKeys: [host.private] }, (client) => {
    client.on('error', () => {});
    client.on('authentication', (context) => context.accept());
    client.on('session', (acceptSession) =>
      acceptSession().on('exec', async (accept, _reject, { command }) => {
        const channel = accept();
        channel.exit(command === 'fail' ? 3 : 0);
        await sleep(late);
        channel.write('all of it\n');
        channel.end();
      }),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const target = { host: '127.0.0.1', port, user: 'root', hostKey: host.public, key: async () => mine.private };
  line = openTargetLine(target, 'the machine');
});
after(() => {
  line?.close();
  server?.close();
});

test('I10: what a program printed is whole, also where its exit code comes long before', async () => {
  const remote = { line, root: [], run: [], end: [] };
  const signal = AbortSignal.timeout(600_000);
  const [said, failed, { code, output }] = await Promise.all([
    say(line, 'print'),
    say(line, 'fail').catch((error: Error) => error.message),
    execute(remote, ['print'], { signal }),
  ]);
  assert.deepEqual([said, failed, code, output], ['all of it\n', 'all of it', 0, 'all of it\n']);
});
