import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { after, before, test } from 'node:test';
import { NotKept } from '../../activities/export/port.ts';
import { aBuildSet } from './records.ts';
import { startServer, type TestServer } from './server.ts';

const ended = { result: 'SUCCESS', endTime: 5 } as const;
const id = (pipeline: string, key: string) => `buildset/main/${pipeline}/p/git:5,1/${key}`;

let server: TestServer;
before(async () => {
  server = await startServer({
    exports: {
      async make({ workflow }) {
        if (workflow === id('check', 'gone')) throw new NotKept('the state of p is not kept any more');
        return Readable.from([workflow]);
      },
    },
  });
  const sets = [
    { key: 'done', workflow: id('check', 'done'), ...ended },
    { key: 'twice', workflow: id('check', 'twice'), ...ended },
    { key: 'twice', workflow: id('gate', 'twice'), ...ended },
    { key: 'gone', workflow: id('check', 'gone'), ...ended },
    { key: 'runs', workflow: id('check', 'runs'), result: null, endTime: null },
  ];
  for (const set of sets) await server.report.recordBuildSet(aBuildSet(set));
});
after(() => server.stop());

async function ask(buildSet: string, token = server.token) {
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` };
  const answer = await fetch(`${server.url}/api/exports`, {
    method: 'POST',
    headers,
    body: JSON.stringify({ buildSet }),
  });
  return { status: answer.status, text: await answer.text() };
}

for (const [buildSet, status, says] of [
  ['done', 200, id('check', 'done')],
  [id('gate', 'twice'), 200, id('gate', 'twice')],
  ['twice', 409, `twice names several build sets: give one of ${id('check', 'twice')}, ${id('gate', 'twice')}`],
  ['runs', 409, 'build set runs is still running: it can be exported when it has ended'],
  ['gone', 409, 'the state of p is not kept any more'],
  ['nothing', 404, 'there is no build set nothing: see `sluice buildsets`'],
  [id('check', 'nothing'), 404, `there is no build set ${id('check', 'nothing')}: see`],
  ['buildset/odd', 404, 'there is no build set buildset/odd: see'],
  ['', 400, 'buildSet: there is nothing in it'],
] as const) {
  test(`the export of ${buildSet || 'nothing'}: ${status}`, async () => {
    const answer = await ask(buildSet);
    assert.equal(answer.status, status, answer.text);
    assert.ok(answer.text.includes(says), answer.text);
  });
}

test('without a token nothing is exported', async () => {
  assert.equal((await ask('done', 'another')).status, 401);
});
