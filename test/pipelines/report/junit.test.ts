import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseXml } from '../../../pipelines/formats/rpm/xml.ts';
import { junitXml } from '../../../pipelines/report/junit.ts';

test('a JUnit document tells suites, failures and skips apart, whatever the text', () => {
  const root = parseXml(
    junitXml([
      { suite: 'a', name: 'good', seconds: 1 },
      { suite: 'a', name: '<bad> & "worse"', seconds: 0.5, failure: { message: 'said \u0007', text: ']]>' } },
      { suite: 'b', name: 'later', seconds: 0, skipped: 'not today' },
    ]),
  );
  assert.deepEqual(root.attributes, { tests: '3', failures: '1', skipped: '1', time: '1.500' });
  assert.deepEqual(
    root.children.map((one) => [one.attributes.name, one.children.length]),
    [
      ['a', 2],
      ['b', 1],
    ],
  );
  const bad = root.children[0]?.children[1];
  assert.equal(bad?.attributes.name, '<bad> & "worse"');
  assert.deepEqual([bad?.children[0]?.attributes.message, bad?.children[0]?.text], ['said \ufffd', ']]>']);
});
