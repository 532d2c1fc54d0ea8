import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nothingReturned, outcomeOfReturned, type Returned, readReturned } from '../../../pipelines/jobs/returned.ts';

function take(...contents: readonly unknown[]): Returned {
  return contents.reduce((before: Returned, content) => {
    const read = readReturned(JSON.stringify(content), before);
    assert.ok('returned' in read, JSON.stringify(read));
    return read.returned;
  }, nothingReturned);
}

test('what programs return is joined: lists grow, of all else the last word holds', () => {
  const first = {
    zuul: {
      artifacts: [{ name: 'docs', url: 'docs/' }],
      warnings: ['old compiler'],
      pause: true,
      child_jobs: ['a', 'b'],
    },
    version: { major: 1, minor: 0 },
  };
  const second = {
    zuul: {
      artifacts: [{ name: 'log', url: 'http://x/log', metadata: { v: 1 } }],
      log_url: 'http://x/1/',
      child_jobs: [],
    },
    version: { minor: 2 },
  };
  const returned = take(first, second);
  assert.equal(returned.pause, true);
  assert.deepEqual(outcomeOfReturned(returned), {
    artifacts: [
      { name: 'docs', url: 'http://x/1/docs/' },
      { name: 'log', url: 'http://x/log', metadata: { v: 1 } },
    ],
    logUrl: 'http://x/1/',
    childJobs: [],
    remarks: ['old compiler'],
    data: { version: { major: 1, minor: 2 } },
  });
});

test('I9: comments on files are kept as such, and said as compilers say them; what is not followed is said, too', () => {
  const comments = { 'src/a.c': [{ line: 3, message: 'too\nlong', level: 'error' }, { message: 'no license' }] };
  const { remarks, comments: said } = outcomeOfReturned(take({ zuul: { file_comments: comments, redactions: ['x'] } }));
  assert.deepEqual(said, [
    { file: 'src/a.c', line: 3, message: 'too\nlong', level: 'error' },
    { file: 'src/a.c', message: 'no license' },
  ]);
  assert.deepEqual(remarks, [
    'src/a.c:3: error: too long',
    'src/a.c: warning: no license',
    'zuul.redactions was returned, and is not followed here',
  ]);
});

test('I9: comments of several programs add up, and those about errors have room first', () => {
  const returned = (message: string, count: number, level: string) => {
    const all = Array.from({ length: count }, (_, n) => ({ line: n, message: `${message}${n}`, level }));
    return { zuul: { file_comments: { a: all } } };
  };
  const { comments = [] } = outcomeOfReturned(take(returned('odd', 60, 'warning'), returned('bad', 2, 'error')));
  assert.equal(comments.length, 50);
  assert.deepEqual(comments.slice(0, 3), [
    { file: 'a', message: 'bad0', level: 'error' },
    { file: 'a', line: 1, message: 'bad1', level: 'error' },
    { file: 'a', message: 'odd0', level: 'warning' },
  ]);
});

test('a report has room for twenty remarks', () => {
  const { remarks } = outcomeOfReturned(take({ zuul: { warnings: Array.from({ length: 23 }, (_, n) => `w${n}`) } }));
  assert.deepEqual(remarks?.slice(-2), ['w19', '3 more are not shown']);
});

test('an artifact below a log that nobody named is left out', () => {
  const { artifacts, remarks } = outcomeOfReturned(take({ zuul: { artifacts: [{ name: 'docs', url: 'docs/' }] } }));
  assert.deepEqual(artifacts, []);
  assert.match(remarks?.join() ?? '', /artifact docs is left out: its url is relative/);
});

const faults: readonly (readonly [string, RegExp])[] = [
  ['{"zuul":', /it is not JSON: /],
  ['[1]', /it must be a JSON object/],
  ['{"zuul": [1]}', /zuul must be an object/],
  ['{"zuul": {"child_jobs": "a"}}', /zuul.child_jobs: zuul.child_jobs must be a list of job names/],
  ['{"zuul": {"child_jobs": ["a", 1]}}', /zuul.child_jobs.1: /],
  ['{"zuul": {"pause": "yes"}}', /zuul.pause must be true or false/],
  ['{"zuul": {"log_url": "javascript:alert(1)"}}', /zuul.log_url must be an http or https URL/],
  ['{"zuul": {"artifacts": [{"name": "x", "url": "file:///etc/passwd"}]}}', /zuul.artifacts.0.url: /],
  ['{"zuul": {"artifacts": [{"name": "x", "url": "a", "metadata": 3}]}}', /zuul.artifacts.0.metadata: /],
  ['{"zuul": {"file_comments": {"a.c": [{"line": "3", "message": ""}]}}}', /zuul.file_comments.a.c.0.line: /],
];

for (const [text, pattern] of faults) {
  test(`refused: ${text}`, () => {
    const read = readReturned(text, nothingReturned);
    assert.match('fault' in read ? read.fault : 'taken', pattern);
  });
}

test('S1: a program cannot return what only stages make: packages and test repositories', () => {
  const artifacts = ['packages', 'test-repository', 'image'].map((type) => {
    return { name: `a-${type}`, url: 'http://x/', metadata: { type } };
  });
  const outcome = outcomeOfReturned(take({ zuul: { artifacts } }));
  assert.deepEqual(
    outcome.artifacts.map(({ name }) => name),
    ['a-image'],
  );
  assert.match(outcome.remarks?.join() ?? '', /artifact a-packages is left out.*has the type packages/);
});
