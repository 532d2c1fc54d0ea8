import assert from 'node:assert/strict';
import { test } from 'node:test';
import { adviceAbout, isOperators, otherAtFault } from '../../../pipelines/report/advice.ts';
import { changeStory } from '../../../pipelines/report/change-story.ts';
import { itemReport } from '../../../pipelines/report/item-report.ts';
import * as sentences from '../../../pipelines/report/sentences.ts';
import { standsOnTaken } from '../../../pipelines/report/taken.ts';
import { pipelineNamed } from '../../workflows/make.ts';

const named = (id: string) => ({ id, key: `${id},1`, project: 'tinycdb', branch: 'main' });
const four = named('git:4');
const refused = (refusal: object) =>
  itemReport('failure', {
    pipeline: pipelineNamed('gate'),
    changes: [named('git:5')],
    buildSet: { builds: null, trouble: null, warnings: [] },
    refusal,
  } as never);

/** Every sentence that blames another change, as the gates say it. */
const blames: readonly [text: string, names: readonly string[], advice: RegExp][] = [
  [
    refused({ kind: 'needed', changes: ['git:4,1', 'git:3,2'] }),
    ['git:4', 'git:3'],
    /git:4 first.*`sluice change show git:4`/,
  ],
  [refused({ kind: 'abandoned', change: 'git:4,1' }), ['git:4'], /`sluice restore git:4`/],
  [sentences.neededUnknown('Iabc'), ['Iabc'], /^Push Iabc/],
  [sentences.neededOutdated(four), ['git:4'], /newer patch set: rebase this change/],
  [sentences.neededUnmergeable(four), ['git:4'], /git:4 has to become mergeable/],
  [sentences.brokenBelow(1, ['git:4']), ['git:4'], /configuration of git:4/],
  [sentences.queueNotShared(named('git:5'), four), ['git:4'], /share a queue/],
  [
    sentences.providerFailed({
      ...{ job: 'install-deb', wanted: ['deb-repository'], change: four },
      result: { job: 'publish-deb', result: 'FAILURE' },
    }),
    ['git:4'],
    /git:4 first/,
  ],
];
for (const [text, names, advice] of blames) {
  test(`advice is about the change that is at fault: ${text.slice(0, 70)}`, () => {
    const found = otherAtFault(text, { id: 'git:5', action: 'failure' });
    assert.deepEqual(found?.names, names);
    assert.match(adviceAbout(found ?? assert.fail(), '`sluice recheck git:5` runs it again.').join('\n'), advice);
  });
}

test('a conflict is the change’s own, or that of one that it needs', () => {
  const text = 'This change could not be merged.\n\ngit:4: conflicts in src/a.c';
  const other = otherAtFault(text, { id: 'git:5', action: 'merge-conflict' });
  assert.deepEqual(other, { names: ['git:4'], kind: 'conflict' });
  assert.equal(otherAtFault(text, { id: 'git:4', action: 'merge-conflict' }), undefined);
});

function story(action: string, text: string) {
  const happening = { type: 'comment' as const, time: 1, by: 'sluice', patchset: 1, text, votes: [] };
  return changeStory({
    change: { id: 'git:5', project: 'p', branch: 'main', patchset: 1, status: 'open', wip: false, votes: [] },
    history: { merged: null, bases: [], happenings: [{ ...happening, report: { pipeline: 'gate', action } }] },
    ...{ needs: [], places: [], builds: [], obstacles: [], undelivered: [] },
  });
}

test('I9: what would bring back what was taken from its branch is told to rebase so that it does not', () => {
  const text = `x\n\ngit:4: ${standsOnTaken('abc', { project: 'a', branch: 'master', head: 'def' })}`;
  const other = otherAtFault(text, { id: 'git:5', action: 'merge-conflict' });
  assert.deepEqual(other, { names: ['git:4'], kind: 'taken' });
  const own = story('merge-conflict', text.replace('git:4', 'git:5'));
  assert.match(own.why.join('\n'), /^gate: git:5: it stands on abc, .*--onto origin\/master abc/);
  assert.match(own.next.join('\n'), /^Rebase it as said, then /);
  const itself = `x\n\ngit:4: ${standsOnTaken('abc', { project: 'a', branch: 'master', head: 'abc' })}`;
  assert.deepEqual(otherAtFault(itself, { id: 'git:5', action: 'merge-conflict' }), other);
  assert.match(story('merge-conflict', itself.replace('git:4', 'git:5')).next.join('\n'), /^Rebase it as said, then /);
});

test('where another change is at fault, nobody is told to amend this one', () => {
  const { next } = story('merge-conflict', 'x\n\ngit:4: conflicts in src/a.c');
  assert.match(next.join('\n'), /git:4 has the conflict/);
  assert.doesNotMatch(next.join('\n'), /pull --rebase|--amend/);
});

test('a mistake in sluice.yaml is the operator’s, and the author is told so', () => {
  const text = 'The configuration cannot be used.\n\nsluice.yaml:3:1: project-template "x" is not defined';
  assert.ok(isOperators(text));
  const { next } = story('config-error', text);
  assert.match(next.join('\n'), /in `sluice\.yaml`: whoever runs Sluice has to mend it/);
  assert.doesNotMatch(next.join('\n'), /--amend/);
  assert.equal(isOperators('zuul.yaml:3:1: job "sluice.yaml" is not defined'), false);
});

test('who is not allowed a dependency cycle is told what would allow it', () => {
  assert.match(sentences.cycleNotAllowed(four), /`allow-circular-dependencies: true` on the queue/);
});

test('a job that waits for an artifact says from whom', () => {
  const of = { wanted: ['deb-repository'], provider: 'publish-deb', change: four };
  assert.equal(sentences.awaited(of), 'requirements: deb-repository, from publish-deb of git:4');
});
