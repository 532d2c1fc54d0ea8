import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Connection } from '../../../../activities/review/connection.ts';
import type { News, Occurrence } from '../../../../activities/review/port.ts';
import type { GerritSettings } from '../../../../activities/review/settings.ts';
import { done } from '../../../../infra/gerrit/account.ts';
import { gateActor } from '../../../../pipelines/model/actor.ts';
import { makeCommit } from '../../git/repository.ts';
import { messageFor } from '../developer.ts';
import { testedRequest } from '../tested.ts';
import { openDesk } from './desk.ts';
import { openWire } from './proxy.ts';
import { connect, type SharedGerrit, sharedGerrit } from './world.ts';

const times = { connect: 20_000, alive: 300, pause: 50, longestPause: 500 };

interface Ear {
  readonly heard: Occurrence[];
  readonly warnings: string[];
  /** How often it has said that it is connected. */
  connected(): number;
  /** Waits until something of the kind has been heard. */
  until(says: string, is: (news: News) => boolean): Promise<Occurrence>;
  stop(): Promise<void>;
}

function listen(t: TestContext, { stream }: Connection): Ear {
  assert.ok(stream);
  const stopping = new AbortController();
  const [heard, warnings]: [Occurrence[], string[]] = [[], []];
  let bell = () => {};
  let connected = 0;
  const ended = stream.listen({
    take: async (occurrence) => {
      heard.push(occurrence);
      bell();
    },
    warn: (message) => warnings.push(message),
    heard: () => {
      connected += 1;
    },
    signal: stopping.signal,
  });
  const stop = async () => {
    stopping.abort();
    await ended;
  };
  t.after(stop);
  return {
    heard,
    warnings,
    connected: () => connected,
    stop,
    async until(says, is) {
      for (const deadline = Date.now() + 120_000; ; ) {
        const found = heard.find(({ news }) => news.some(is));
        if (found) return found;
        assert.ok(
          Date.now() < deadline,
          `nobody heard ${says}; heard ${JSON.stringify(heard)}, ${warnings.join('; ')}`,
        );
        await new Promise<void>((resolve) => {
          bell = resolve;
          setTimeout(resolve, 1_000).unref();
        });
      }
    },
  };
}

let projects = 0;
async function open(t: TestContext, settings: Partial<GerritSettings> = {}) {
  const gerrit = await sharedGerrit();
  projects += 1;
  const desk = await openDesk(t, gerrit, { project: `stream${projects}` });
  const owns = (project: string) => project === desk.project;
  const connection = await connect(t, gerrit, { owns, settings, times });
  return { gerrit, desk, connection, listen: () => listen(t, connection) };
}

const looksAt = (number: number) => (news: News) => news.kind === 'look' && news.change === `review:${number}`;
const comment = ({ rest }: SharedGerrit, number: number, message: string) =>
  done(rest('POST', `/changes/${number}/revisions/current/review`, { message }));

test('what happens is heard: changes as looks, refs as events, a merge by its change alone', async (t) => {
  const { gerrit, desk, connection, listen } = await open(t);
  const ear = listen();
  const { number, commit } = await desk.propose({ files: { a: '1' }, message: messageFor(`stream ${desk.project}`) });
  await ear.until('a new change', looksAt(number));
  const tip = await makeCommit(desk.repo, { parents: [await desk.fetch('refs/heads/master')], files: { b: '1' } });
  await desk.push(`${tip}:refs/heads/side`);
  await desk.push(`${tip}:refs/heads/master`);
  const isAt = (ref: string) => (news: News) => news.kind === 'event' && news.event.ref === ref;
  const moved = await ear.until('a branch that moved', isAt('refs/heads/master'));
  const [news] = moved.news;
  assert.ok(news?.kind === 'event');
  const { type, project, branch, newrev } = news.event;
  assert.deepEqual([type, project, branch, newrev], ['ref-updated', desk.project, 'master', tip]);
  await ear.until('a new branch', isAt('refs/heads/side'));
  ear.heard.length = 0;
  const change = `review:${number}`;
  const merged = await connection.host.submit(gateActor, await testedRequest(connection, change));
  assert.equal(merged.kind, 'merged');
  await comment(gerrit, number, 'the last');
  await ear.until('the merge', looksAt(number));
  assert.ok(!ear.heard.some(({ news: all }) => all.some(isAt('refs/heads/master'))), JSON.stringify(ear.heard));
  const { events } = await connection.host.readEvents(change, 0);
  assert.deepEqual(
    events.map(({ type: each }) => each).filter((each) => each !== 'comment-added'),
    ['patchset-created', 'change-merged', 'ref-updated'],
  );
  assert.ok(commit !== tip);
});

test('what happens while nobody listens is looked at, once for each state', async (t) => {
  const { gerrit, desk, listen } = await open(t);
  const propose = (word: string) =>
    desk.propose({ files: { [word]: '1' }, message: messageFor(`${word} ${desk.project}`) });
  const first = listen();
  const seen = await propose('seen');
  await first.until('a new change', looksAt(seen.number));
  await first.stop();
  const [missed, abandoned] = [await propose('missed'), await propose('abandoned')];
  await done(gerrit.rest('POST', `/changes/${abandoned.number}/abandon`, {}));
  await comment(gerrit, seen.number, 'recheck');
  const second = listen();
  const ids = new Map<number, string>();
  for (const { number } of [seen, missed, abandoned]) {
    ids.set(number, (await second.until(`change ${number}`, looksAt(number))).id);
  }
  await second.stop();
  const third = listen();
  assert.equal((await third.until('the same state', looksAt(missed.number))).id, ids.get(missed.number));
});

test('a Gerrit that is restarted is heard again, and what it kept meanwhile is looked at', async (t) => {
  const { gerrit, desk, listen } = await open(t);
  const ear = listen();
  const { number } = await desk.propose({ files: { a: '1' }, message: messageFor(`restart ${desk.project}`) });
  await ear.until('a new change', looksAt(number));
  ear.heard.length = 0;
  await gerrit.restart();
  await ear.until('a look after the restart', looksAt(number));
  ear.heard.length = 0;
  await comment(gerrit, number, 'recheck');
  await ear.until('an event after the restart', looksAt(number));
  assert.ok(ear.warnings.length > 0);
  assert.equal(ear.connected(), 2);
});

test('a connection that is cut without a word is noticed, and nothing is lost', async (t) => {
  const gerrit = await sharedGerrit();
  const wire = await openWire(t, gerrit.site.sshPort);
  const knownHosts = join(gerrit.directory, `known-${wire.port}`);
  const lines = await readFile(gerrit.settings.knownHosts, 'utf8');
  await writeFile(knownHosts, lines.replace(`:${gerrit.site.sshPort} `, `:${wire.port} `));
  const { desk, listen } = await open(t, { ssh: `ssh://sluice@127.0.0.1:${wire.port}`, knownHosts });
  const ear = listen();
  const { number } = await desk.propose({ files: { a: '1' }, message: messageFor(`cut ${desk.project}`) });
  await ear.until('a new change', looksAt(number));
  wire.cut();
  ear.heard.length = 0;
  await comment(gerrit, number, 'recheck');
  await ear.until('what happened behind the cut', looksAt(number));
});

test('a host that shows another key hears nothing of us, and the warning says what is wrong', async (t) => {
  const gerrit = await sharedGerrit();
  const knownHosts = join(gerrit.directory, 'other-host');
  const line = (await readFile(gerrit.settings.knownHosts, 'utf8')).trim();
  const key = line.split(' ')[2] ?? '';
  const other = `${key.slice(0, -6)}${key.slice(-6) === 'AAAAAA' ? 'BBBBBB' : 'AAAAAA'}`;
  await writeFile(knownHosts, `${line.replace(key, other)}\n`);
  for (const [file, says] of [
    [knownHosts, /key that is not in known_hosts/],
    ['/dev/null', /has no key of 127\.0\.0\.1/],
  ] as const) {
    const { listen } = await open(t, { knownHosts: file });
    const ear = listen();
    for (const deadline = Date.now() + 60_000; ear.warnings.length === 0 && Date.now() < deadline; ) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    assert.match(ear.warnings[0] ?? '', says);
    assert.deepEqual(ear.heard, []);
    await ear.stop();
  }
});
