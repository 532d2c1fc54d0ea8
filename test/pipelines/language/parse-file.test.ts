import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { problemText } from '../../../pipelines/language/language.ts';
import { parse } from './fixtures.ts';

const refused: readonly [sentence: string, text: string, problem: RegExp][] = [
  [
    'an unknown attribute is named at its key',
    '- job:\n    name: a\n    foo: 1\n',
    /^zuul.yaml:3:5: .*unknown attribute "foo"/,
  ],
  [
    'the attribute that may have been meant is named with it',
    '- job: {name: a, requried-projects: [b]}\n',
    /unknown attribute "requried-projects" \(did you mean "required-projects"\?\)/,
  ],
  [
    'a key inside is held against those that may be there',
    '- job: {name: a, dependencies: [{name: b, sfot: true}]}\n',
    /unknown attribute "dependencies.0.sfot" \(did you mean "soft"\?\)/,
  ],
  ['one that is like none is named alone', '- job: {name: a, colour: red}\n', /unknown attribute "colour"$/],
  [
    'a wrong type is named at its value',
    '- job:\n    name: a\n    timeout: soon\n',
    /:3:14: .*timeout: expected seconds, or a time such as 90s, 2m or 1h, found "soon"/,
  ],
  [
    'a number that is too small for any whole number is told once',
    '- semaphore: {name: s, max: -99999999999999999999}\n',
    /^zuul\.yaml:1:29: semaphore "s": max: must be at least 0$/,
  ],
  ['a missing name is named', '- job: {timeout: 1}\n', /name: is required/],
  ['an unknown object is named', '- jobs: {name: a}\n', /:1:3: unknown object "jobs"/],
  ['an unindented body is explained', '- job:\n  name: a\n', /:2:3: .*indent/],
  [
    'a duplicate key is named at its second place',
    '- job:\n    name: a\n    name: b\n',
    /:3:5: key "name" appears twice/,
  ],
  ['post-review cannot be unset', '- job: {name: a, post-review: false}\n', /once set, post-review may not be unset/],
  ['an intermediate job must be abstract', '- job: {name: a, intermediate: true}\n', /must also be abstract/],
  ['reserved variables are refused', '- job: {name: a, vars: {zuul: 1}}\n', /variable "zuul" is reserved/],
  ['names of variables are checked', '- job: {name: a, vars: {1a: 1}}\n', /is not a variable name/],
  ['an expression must be RE2', '- job: {name: a, branches: "(a"}\n', /not a regular expression that RE2 accepts/],
  ['a back reference is not RE2', '- job: {name: a, files: "(a)\\\\1"}\n', /not a regular expression that RE2 accepts/],
  [
    'a node is not localhost',
    '- nodeset: {name: s, nodes: {name: localhost, label: x}}\n',
    /may not be named "localhost"/,
  ],
  ['a node has a label', '- nodeset: {name: s, nodes: {name: a}}\n', /label: is required/],
  ['a nodeset has nodes', '- nodeset: {name: s}\n', /:1:12: nodeset "s": nodes: is required: a list$/],
  [
    'a group names known nodes',
    '- nodeset: {name: s, nodes: {name: a, label: x}, groups: {name: g, nodes: b}}\n',
    /which the nodeset has not/,
  ],
  [
    'a window has room for its floor',
    '- pipeline: {name: p, manager: dependent, window-ceiling: 2, trigger: {}}\n',
    /less than window-floor 3/,
  ],
  [
    'a pipeline has a manager',
    '- pipeline: {name: p}\n',
    /manager: is required: independent or dependent or serial or supercedent$/,
  ],
  [
    'a manager is one of four',
    '- pipeline: {name: p, manager: fast, trigger: {}}\n',
    /manager: expected independent or/,
  ],
  [
    'a trigger has the keys of its driver',
    '- pipeline: {name: p, manager: dependent, trigger: {gerrit: {event: comment-added, foo: 1}}}\n',
    /unknown attribute "trigger.gerrit.foo"/,
  ],
  [
    'a timer does not report',
    '- pipeline: {name: p, manager: dependent, trigger: {}, success: {timer: {}}}\n',
    /driver "timer" has no reporter/,
  ],
  [
    'a topic queue allows cycles',
    '- queue: {name: q, dependencies-by-topic: true}\n',
    /needs "allow-circular-dependencies/,
  ],
  ['a queue has one type', '- queue: {name: q, type: per-branch, per-branch: true}\n', /exclude each other/],
  ['a secret has data', '- secret: {name: s}\n', /either "data" or "oidc"/],
  ['an encrypted value is base64', '- secret: {name: s, data: {a: !encrypted/pkcs1-oaep "(no)"}}\n', /base64/],
  ['a job entry has one key', '- project:\n    check:\n      jobs:\n        - a: {}\n          b: {}\n', /has one key/],
  [
    'an attached job has known attributes',
    '- project: {check: {jobs: [{a: {vote: 1}}]}}\n',
    /unknown attribute "check.jobs.0.a.vote"/,
  ],
  [
    'a semaphore is a job’s or a playbook’s',
    '- job: {name: a, semaphores: s, run: {name: r, semaphores: s}}\n',
    /both the job's and a playbook's/,
  ],
  [
    'a line that fails a job is named by RE2',
    '- job: {name: a, failure-output: [ok, "(a"]}\n',
    /failure-output.*not a regular expression that RE2 accepts/,
  ],
  [
    'and says what it is',
    '- job: {name: a, failure-output: "^(?!ok)"}\n',
    /looks ahead or behind, which RE2 cannot; write \{regex: "\^\(ok\)", negate: true\}/,
  ],
  ['a file is a list', 'job: {name: a}\n', /a configuration file is a list/],
  ['text that is not YAML is told as such', '- job: {name: a\n- [', /YAML: /],
  ['an unknown tag is named', '- job: {name: a, vars: {x: !python/object 1}}\n', /unknown tag "!python\/object"/],
  ['a role is from one place', '- job: {name: a, roles: [{name: x}]}\n', /:1:26: .*roles.0: a role is from "zuul" or/],
  [
    'output is sought by RE2',
    '- job: {name: a, failure-output: ["(a"]}\n',
    /failure-output.0: .*not a regular expression/,
  ],
  ['output is not looked around in', '- job: {name: a, failure-output: "(?!a)"}\n', /looks ahead or behind/],
  ['a project’s name is RE2', '- project: {name: "^(?!a).*"}\n', /:1:13: project: name: .*looks ahead or behind/],
  [
    'a filter by name has one',
    '- job: {name: a, include-projects: [{type: name}]}\n',
    /"name" belongs to "type: name"/,
  ],
  [
    'included variables come from one project',
    '- job: {name: a, include-vars: {name: v, project: p, zuul-project: true}}\n',
    /"project" excludes "zuul-project"/,
  ],
  [
    'a forbidden path is forbidden however it is written',
    '- job: {name: a, preserve-home-paths: ["./x/../.ssh//config"]}\n',
    /may not be preserved/,
  ],
  [
    'a tab is named where it indents, and not what follows from it',
    '- job:\n    name: a\n\tfoo: 1\n    bar: 2\n',
    /^zuul.yaml:3:1: YAML: a tab cannot indent; use spaces$/,
  ],
  ['a file is one document', '- job: {name: a}\n---\n- job: {name: b}\n', /^zuul.yaml:2:1: YAML: a second document/],
  [
    'a control character has its place',
    '- job: {name: a}\n# \x07\n',
    /^zuul.yaml:2:3: YAML: control character U\+0007/,
  ],
  ['bytes that are not UTF-8 have their place', '- job: {name: a\ufffd}\n', /^zuul.yaml:1:16: not text in UTF-8$/],
  ['a key is plain text', '- job: {name: a, vars: {x: {{ y }}}}\n', /a key must be plain text/],
];

for (const [sentence, text, problem] of refused) {
  test(sentence, () => {
    const file = parse(text);
    assert.match(
      file.problems
        .filter(({ severity }) => severity === 'error')
        .map(problemText)
        .join('\n'),
      problem,
    );
    assert.deepEqual(file.stanzas.jobs, []);
  });
}

test('a broken stanza is left out and the rest is read', () => {
  const file = parse(
    '- job: {name: a}\n- job: {name: b, foo: 1}\n- jobb: {}\n- job: {name: c, timeout: x}\n- job: {name: d}\n',
  );
  assert.deepEqual(
    file.stanzas.jobs.map(({ name }) => name),
    ['a', 'd'],
  );
  assert.deepEqual(
    file.problems.map(({ line }) => line),
    [2, 3, 4],
  );
  assert.deepEqual(
    file.stanzas.broken.map(({ name }) => name),
    ['b', 'config', 'c'],
  );
});

const warned: readonly [sentence: string, text: string, warning: RegExp][] = [
  [
    'what is not run yet is said',
    '- job: {name: a, ansible-version: 8}\n',
    /ansible-version is understood but not run yet/,
  ],
  [
    'the workspace has one scheme',
    '- job: {name: a, workspace-scheme: unique}\n',
    /workspace-scheme is understood but not run yet: each project lies in the workspace under its name/,
  ],
  [
    'roles of a galaxy are passed over',
    '- job: {name: a, roles: {galaxy: x}}\n',
    /roles from "galaxy" are passed over/,
  ],
  ['programs are not run beside a stage', '- job: {name: a, uses: lint, pre-run: x}\n', /pre-run is not run beside/],
  ['a stage gets no secrets', '- job: {name: a, uses: lint, secrets: s}\n', /the stage "lint" gets none/],
  ['a secret is never shown', '- job: {name: a, secret-exposure: ignore}\n', /masked with "ignore", too/],
  ['objects of the launcher are said to be unused', '- image: {name: i, type: zuul}\n', /understood but not used/],
  [
    'a semaphore that lets nobody in is told',
    '- semaphore: {name: s, max: 0}\n',
    /`max: 0` every job that takes it waits/,
  ],
  [
    'a timeout below one second is told',
    '- job: {name: a, timeout: -5}\n',
    /timeout: -5 ends what it is for as soon as/,
  ],
  [
    'a pipeline with parameters is told that it has none',
    '- pipeline: {name: p, manager: independent, allow-parameters: true}\n',
    /allow-parameters has no effect/,
  ],
  [
    'a project with parameters is told that nobody gives them',
    '- project: {check: {parameters: [{name: p, type: string}]}}\n',
    /check: parameters have no effect/,
  ],
  ['oidc secrets are said to be unused', '- secret: {name: s, oidc: {ttl: 5}}\n', /oidc tokens are not issued/],
  [
    'a negative lookahead is understood, with a better way',
    '- job: {name: a, files: "^(?!doc/).*$"}\n',
    /negate: true/,
  ],
];

for (const [sentence, text, warning] of warned) {
  test(sentence, () => {
    const { problems } = parse(text);
    assert.deepEqual(
      problems.map(({ severity }) => severity),
      ['warning'],
    );
    assert.match(problems.map(problemText).join('\n'), warning);
  });
}

test('YAML is that of configurations: yes is a boolean, y is text, anchors merge', () => {
  const [job] = parse('- job: &a\n    name: y\n    voting: no\n    vars: {<<: {b: 1}, c: 0x10}\n').stanzas.jobs;
  assert.equal(job?.name, 'y');
  assert.equal(job?.attributes.voting, false);
  assert.deepEqual(job?.attributes.vars?.value, { b: 1, c: 16 });
});

const numbers: readonly [text: string, value: unknown][] = [
  ['12', 12],
  ['010', 8],
  ['1.50', 1.5],
  ['1.5e+3', 1500],
  ['.5', 0.5],
  ['1_000', 1000],
  ['08', '08'],
  ['1e3', '1e3'],
  ['1.5e3', '1.5e3'],
  ['-.5', '-.5'],
  ['.inf', '.inf'],
];
for (const [text, value] of numbers) {
  test(`${text} is ${typeof value === 'number' ? 'a number' : 'text'}`, () => {
    const [job] = parse(`- job: {name: a, vars: {x: ${text}}}\n`).stanzas.jobs;
    assert.deepEqual(job?.attributes.vars?.value, { x: value });
  });
}

const accepted: readonly [sentence: string, text: string, description: string][] = [
  ['a byte order mark is no text', '\ufeff- job: {name: a, description: x}\n', 'x'],
  ['lines may end as on Windows', '- job:\r\n    name: a\r\n    description: |\r\n      x\r\n      y\r\n', 'x\ny\n'],
  [
    'quoted text goes on at any indentation',
    '- job:\n    name: a\n    description: "x\\\n  y"\n    voting: false\n',
    'xy',
  ],
  ['flow collections go on at any indentation', '- job: {\nname: a,\n  description: x\n}\n', 'x'],
];
for (const [sentence, text, description] of accepted) {
  test(sentence, () => {
    const { problems, stanzas } = parse(text);
    assert.deepEqual(problems, []);
    assert.equal(stanzas.jobs[0]?.attributes.description, description);
  });
}

test('a byte order mark has no column', () => {
  assert.match(parse('\ufeff- job: {foo: 1}\n').problems.map(problemText).join('\n'), /:1:9: .*"foo"/);
});

test('merge tags are kept with their values', () => {
  const [job] = parse('- job: {name: a, tags: !override [x], vars: !inherit {a: 1}, provides: y}\n').stanzas.jobs;
  assert.deepEqual(job?.attributes.tags, { override: true, value: ['x'] });
  assert.deepEqual(job?.attributes.vars, { override: false, value: { a: 1 } });
  assert.deepEqual(job?.attributes.provides, { override: undefined, value: ['y'] });
});

test('encrypted values stay as they are', () => {
  const [secret] = parse('- secret: {name: s, data: {p: !encrypted/pkcs1-oaep [YWJj, ZGVm], q: open}}\n').stanzas
    .secrets;
  assert.deepEqual(JSON.parse(JSON.stringify(secret?.data)), {
    p: { scheme: 'pkcs1-oaep', chunks: ['YWJj', 'ZGVm'] },
    q: 'open',
  });
});

const bombs: readonly [sentence: string, text: () => string, problem: RegExp][] = [
  [
    'aliases that expand without end are refused',
    () =>
      `- job: {name: a, vars: {a0: &a0 [1,1,1,1,1,1,1,1,1],${Array.from({ length: 12 }, (_, i) => `a${i + 1}: &a${i + 1} [${Array(9).fill(`*a${i}`)}]`)}}}`,
    /aliases expand to more than/,
  ],
  ['an anchor that contains itself is refused', () => '- job: {name: a, vars: &x {y: *x}}\n', /contains itself/],
  ['deep nesting is refused', () => `- job: {name: a, vars: {x: ${'['.repeat(500)}${']'.repeat(500)}}}`, /nested/],
  ['very deep nesting is refused', () => `- job: ${'['.repeat(100_000)}`, /YAML/],
  ['a file of 10 MB is refused', () => `- job: {name: a}\n`.repeat(620_000), /larger than/],
  ['a very long expression is refused', () => `- job: {name: a, branches: "${'a'.repeat(5000)}"}`, /longer than 4096/],
  ['an expression that explodes is refused', () => '- job: {name: a, branches: "((a{1000}){1000}){1000}"}', /RE2/],
];

for (const [sentence, text, problem] of bombs) {
  test(`${sentence}, in bounded time`, () => {
    const begun = performance.now();
    assert.match(parse(text()).problems.map(problemText).join('\n'), problem);
    assert.ok(performance.now() - begun < 120_000);
  });
}

test('parsing never throws, whatever the text', () => {
  const pieces = fc.constantFrom(
    '- ',
    'job',
    ':',
    ' ',
    '\n',
    '  ',
    '{',
    '}',
    '[',
    ']',
    '&a',
    '*a',
    '!override ',
    'name',
    'x',
    '"',
    '<<',
    '|',
    '#',
    '-',
  );
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 40 }), (parts) => {
      for (const { line, column } of parse(parts.join('')).problems) assert.ok(line >= 1 && column >= 1);
    }),
    { numRuns: 2000 },
  );
});

for (const [written, seconds] of [
  ['120', 120],
  ['90s', 90],
  ['2m', 120],
  ['1h', 3_600],
] as const) {
  test(`F9: a timeout of ${written} is ${seconds} seconds`, () => {
    const { stanzas, problems } = parse(`- job: {name: a, timeout: ${written}, post-timeout: ${written}}\n`);
    assert.deepEqual(problems, []);
    assert.deepEqual(stanzas.jobs[0]?.attributes.timeout, seconds);
  });
}

test('every entry that is not YAML is told, and the others are read, with their anchors', () => {
  const text = `# all of it
- job: &common
    name: good
    timeout: 5
- job:
    name: torn
    vars: {x: "never closed}
    tags: &tags [a]
- job:
    name: bad
    foo: 1
- project-template: {name: t, check: {jobs: [[}}
- job:
    <<: *common
    name: heir
- job: {name: bereft, tags: *tags}
`;
  const { problems, stanzas } = parse(text);
  assert.deepEqual(
    problems.map(({ line, severity }) => [line, severity]),
    [
      [8, 'error'],
      [11, 'error'],
      [12, 'error'],
    ],
    problems.map(problemText).join('\n'),
  );
  assert.deepEqual(
    stanzas.jobs.map(({ name, attributes }) => [name, attributes.timeout]),
    [
      ['good', 5],
      ['heir', 5],
    ],
  );
  // What is lost must not count as absent.
  assert.deepEqual(
    stanzas.broken.map(({ kind, name, offset }) => [kind, name, text.slice(0, offset).split('\n').length]),
    [
      ['job', 'bad', 9],
      ['job', 'torn', 5],
      ['project-template', 't', 12],
      ['project', 'config', 1],
    ],
  );
});

test('an alias of nothing is told beside text that is not YAML', () => {
  const { problems } = parse('- job: {name: a\n- job: {name: b, tags: *none}\n');
  assert.match(problems.map(problemText).join('\n'), /:1:\d+: YAML: .*\n.*:2:\d+: unknown alias "\*none"/);
});

for (const text of [
  '- job: {name: ""}',
  '- pipeline: {name: "", manager: independent}',
  '- queue: {name: ""}',
  '- semaphore: {name: ""}',
  '- secret: {name: "", data: {}}',
  '- project-template: {name: ""}',
  '- nodeset: {name: "", nodes: []}',
  '- nodeset: {name: n, nodes: {name: "", label: x}}',
  '- nodeset: {name: n, nodes: {name: a, label: ""}}',
  '- nodeset: {name: n, nodes: {name: a, label: x}, groups: {name: "", nodes: a}}',
  '- label: {name: "", image: i, flavor: f}',
  '- project: {queue: ""}',
  '- job: {name: a, semaphores: [""]}',
  '- job: {name: a, run: {name: p.yaml, semaphores: ""}}',
]) {
  test(`an empty name is refused where it stands: ${text}`, () => {
    const [problem, ...others] = parse(text).problems.map(problemText);
    assert.match(
      problem ?? '',
      new RegExp(`^zuul\\.yaml:1:${text.indexOf('""') + 1}: .*: must have at least 1 character$`),
    );
    assert.deepEqual(others, []);
  });
}

test('every mistake of a stanza is named, those inside of one attribute too', () => {
  const text = `- job:
    name: a
    nodeset: {nodes: 5, extra: 2}
    dependencies: [{name: 1, soft: 2}]
    secrets: {nam: x, secret: 5}
    timeout: soon
- nodeset: {nodes: [{name: a}], more: 1}
`;
  const told = parse(text).problems.map(problemText).join('\n');
  for (const words of [
    ...[
      /nodeset\.nodes\.0: expected a map/,
      /unknown attribute "nodeset\.extra"/,
      /dependencies\.0\.name: expected text/,
    ],
    ...[/dependencies\.0\.soft: expected true or false/, /unknown attribute "secrets\.0\.nam"/, /secrets\.0\.secret: /],
    ...[/timeout: expected seconds/, /nodeset: name: is required/, /nodes\.0\.label: is required/, /attribute "more"/],
  ]) {
    assert.match(told, words);
  }
});
