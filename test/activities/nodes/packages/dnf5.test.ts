import assert from 'node:assert/strict';
import { test } from 'node:test';
import { problemOf } from '../../../../activities/nodes/packages/problem.ts';
import { dnfNode } from '../../../../activities/nodes/packages/rpm.ts';

const failed = [
  'Running transaction',
  '[2/3] Prepare transaction               100% |   0.0   B/s |   1.0   B |  00m02s',
  '>>> Running %pre scriptlet: good-0:1-1.noarch',
  '>>> Error in %pre scriptlet: good-0:1-1.noarch',
  '>>> [RPM] %prein(good-1-1.noarch) scriptlet failed, exit status 126',
  'Transaction failed: Rpm transaction failed.',
  'Warning: skipped OpenPGP checks for 1 package from repository: sluice-0',
].join('\n');
const nowhere = [
  'Failed to resolve the transaction:',
  'No match for argument: nowhere',
  'You can try to add to command line:',
  '  --skip-unavailable to skip unavailable packages',
].join('\n');

test('what dnf5 5.4 says of a scriptlet that fails is understood', () => {
  assert.equal(dnfNode.runningScript(failed), 'scriptlet of good-0:1-1.noarch');
  const problem = problemOf({ code: 1, output: failed, timedOut: false });
  assert.equal(problem, '%prein(good-1-1.noarch) scriptlet failed, exit status 126');
});

test('what dnf5 5.4 says of a package that is nowhere is understood', () => {
  assert.equal(problemOf({ code: 1, output: nowhere, timedOut: false }), 'No match for argument: nowhere');
});

test('what dnf 4 says of a running scriptlet is still understood', () => {
  assert.equal(dnfNode.runningScript('  Running scriptlet: good-1-1.noarch    1/1 '), 'scriptlet of good-1-1.noarch');
});

test('what dnf says of a package that needs what is taken away names both', () => {
  const output = [
    'Error: ',
    ' Problem: package strict-1.0-1.noarch requires libalpha = 1.0-1, but none of the providers can be installed',
    '  - conflicting requests',
    '  - package libalpha-1.0-1.noarch is filtered out by exclude filtering',
  ].join('\n');
  assert.equal(
    problemOf({ code: 1, output, timedOut: false }),
    'package strict-1.0-1.noarch requires libalpha = 1.0-1, but none of the providers can be installed',
  );
});

test('what dnf5 5.4 says of a package that is under test and cannot be installed is the reason', () => {
  const output = [
    'Failed to resolve the transaction:',
    'Problem: package tool-1.1-1.noarch from sluice-0 requires lib, but none of the providers can be installed',
    '  - conflicting requests',
    '  - package lib-1.0-1.noarch from sluice-1-released is filtered out by exclude filtering',
    '  - nothing provides what-nobody-has needed by lib-1.1-1.noarch from sluice-0',
  ].join('\n');
  const reason = 'nothing provides what-nobody-has needed by lib-1.1-1.noarch from sluice-0';
  assert.equal(problemOf({ code: 1, output, timedOut: false }), reason);
});

test('dnf ends with 1 where it would have gone on: that packages can be installed it says in words', () => {
  for (const output of [
    'Total size: 6.3 k\nOperation aborted.\n',
    'Is this ok [y/N]: n\nOperation aborted by the user.\n',
  ]) {
    assert.equal(dnfNode.resolved({ code: 1, output }), true);
  }
  assert.equal(dnfNode.resolved({ code: 1, output: nowhere }), false);
  assert.equal(dnfNode.resolved({ code: 0, output: 'Nothing to do.\n' }), true);
});
