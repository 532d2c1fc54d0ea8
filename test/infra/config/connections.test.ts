import assert from 'node:assert/strict';
import { test } from 'node:test';
import { changedKeys } from '../../../infra/config/changes.ts';
import { InvalidConfiguration, parseConfig } from '../../../infra/config/load.ts';

function parse(text: string) {
  return parseConfig({ path: 'sluice.yaml', text, directory: '/conf', env: { PASSWORD: 'canary-in-the-file' } });
}

function problems(text: string): string[] {
  try {
    parse(text);
  } catch (error) {
    assert.ok(error instanceof InvalidConfiguration);
    return error.message.split('\n');
  }
  return [];
}

const whole = `
connections:
  git: {driver: git}
  review:
    driver: gerrit
    url: http://127.0.0.1:8081
    ssh: ssh://sluice@127.0.0.1:29418
    identity: ./id_ed25519
    knownHosts: ./known_hosts
    user: sluice
    password: {file: ./http-password}
    approve: {label: Workflow, value: 1}
  hub:
    driver: github
    url: https://github.com
    api: https://api.github.com
    app: {id: 12345, key: {file: ./app.pem}}
    webhookSecret: {env: HUB_HOOK}
  lab:
    driver: gitlab
    url: https://gitlab.example.org
    token: {credential: gitlab-token}
    webhookSecret: {file: ./gitlab-hook}
  tea:
    driver: gitea
    url: https://gitea.example.org/
    token: {file: ./gitea-token}
    webhookSecret: {file: ./gitea-hook}
  plain: {driver: git, url: 'https://git.example.org', poll: 60s, approve: {label: Workflow, value: 2}}
  folder: {driver: git, url: ../repositories}
projects:
  pkg/tinycdb: {connection: review, queue: core, templates: [deb-package, rpm-package]}
  pkg/*: {connection: review}
config-projects: [pkg/config]
`;

test('connections of every driver are read, and what is relative is relative to the file', () => {
  const { connections, projects } = parse(whole);
  assert.deepEqual(connections.review, {
    driver: 'gerrit',
    url: 'http://127.0.0.1:8081',
    ssh: 'ssh://sluice@127.0.0.1:29418',
    identity: '/conf/id_ed25519',
    knownHosts: '/conf/known_hosts',
    user: 'sluice',
    password: { file: '/conf/http-password' },
    approve: { label: 'Workflow', value: 1 },
  });
  assert.deepEqual(connections.hub, {
    driver: 'github',
    url: 'https://github.com',
    api: 'https://api.github.com',
    app: { id: 12_345, key: { file: '/conf/app.pem' } },
    webhookSecret: { env: 'HUB_HOOK' },
  });
  assert.deepEqual(connections.tea, {
    driver: 'gitea',
    url: 'https://gitea.example.org',
    token: { file: '/conf/gitea-token' },
    webhookSecret: { file: '/conf/gitea-hook' },
  });
  assert.deepEqual(connections.plain, {
    driver: 'git',
    url: 'https://git.example.org',
    poll: 60_000,
    approve: { label: 'Workflow', value: 2 },
  });
  assert.deepEqual(connections.folder, { driver: 'git', url: '/repositories' });
  assert.equal(projects['pkg/*']?.connection, 'review');
});

test('the built-in host is there unless the file leaves it out', () => {
  assert.deepEqual(parse('').connections, { git: { driver: 'git' } });
  assert.deepEqual(Object.keys(parse('connections: {mine: {driver: git}}').connections), ['mine']);
});

const forms = '{file: PATH}, {env: NAME} or {credential: NAME}: a secret is never written in this file itself';
const reference = `$\{PASSWORD}`;
const gerrit = 'driver: gerrit, url: "http://h", ssh: "ssh://u@h:29418", identity: i, knownHosts: k';

const refused: readonly (readonly [why: string, text: string, expected: readonly string[]])[] = [
  [
    'a driver that there is not',
    'connections:\n  a:\n    driver: foo\n',
    ['3:13: connections.a.driver: is not a driver: there are git, gerrit, github, gitlab, gitea'],
  ],
  [
    'a connection without a driver',
    'connections: {a: {}}',
    ['1:18: connections.a.driver: is missing: there are git, gerrit, github, gitlab, gitea'],
  ],
  ...['canary', reference, '{file: a, env: B}', '[canary]'].map(
    (secret): readonly [string, string, readonly string[]] => [
      `the secret ${secret}`,
      `connections:\n  lab:\n    driver: gitlab\n    url: http://h\n    token: ${secret}\n`,
      [`5:12: connections.lab.token: must be ${forms}`],
    ],
  ),
  [
    'what is no name of a variable',
    'connections:\n  lab: {driver: gitlab, url: http://h, token: {env: "no name"}}',
    ['2:53: connections.lab.token.env: must be the name of a variable'],
  ],
  [
    'a credential that climbs out',
    'connections:\n  lab: {driver: gitlab, url: http://h, token: {credential: ../x}}',
    ["2:60: connections.lab.token.credential: must be a credential's name"],
  ],
  [
    'a key of another driver',
    `connections: {a: {${gerrit}, token: {env: T}}}`,
    ['1:104: "connections.a.token" is not a known key'],
  ],
  [
    'a password in a URL',
    `connections: {a: {driver: gitea, token: {env: T}, url: "https://u:canary@h"}}`,
    ['1:56: connections.a.url: must not hold a password'],
  ],
  [
    'an SSH address without a user',
    `connections: {a: {${gerrit.replace('u@', '')}}}`,
    ['1:57: connections.a.ssh: must be ssh://USER@HOST:PORT'],
  ],
  [
    'GitHub without a way in, and with two',
    `connections:\n  a: {driver: github}\n  b: {driver: github, token: {env: T}, app: {id: 1, key: {env: K}}}`,
    ['2:6: connections.a: needs either "app" or "token"', '3:6: connections.b: needs either "app" or "token"'],
  ],
  [
    'polling what Sluice serves itself',
    'connections: {a: {driver: git, poll: 5s}}',
    ['1:38: connections.a.poll: is for a connection with a "url": what Sluice serves itself is not polled'],
  ],
  [
    'a key for a host that no key leads to, and a host by ssh without one',
    "connections: {a: {driver: git, url: /srv/git, identity: ./id}, b: {driver: git, url: 'ssh://git@x/srv'}}",
    [
      '1:57: connections.a.identity: is not used with such a "url"',
      '1:67: connections.b.identity: is needed for a "url" of ssh',
    ],
  ],
  [
    'a project of a connection that there is not',
    'projects: {a: {connection: revue}}',
    ['1:28: projects.a.connection: there is no connection revue: there are git'],
  ],
  [
    'a pattern that climbs out',
    'projects: {../*: {}}',
    ['1:12: "../*" must be a project name: letters, digits and ._+-, parts separated by "/"'],
  ],
];

for (const [why, text, expected] of refused) {
  test(`it refuses ${why}`, () => {
    const said = problems(text);
    assert.deepEqual(
      said,
      expected.map((line) => `sluice.yaml:${line}`),
    );
    assert.doesNotMatch(said.join('\n'), /canary/);
  });
}

test('a change of a connection is told by its name', () => {
  const before = parse(whole);
  const after = parse(whole.replace('value: 1', 'value: 2'));
  assert.deepEqual(changedKeys(before, after), ['connections.review']);
});
