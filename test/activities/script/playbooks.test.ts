import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { before, type TestContext, test } from 'node:test';
import { createScriptStage } from '../../../activities/script/script-stage.ts';
import type { OpenSecrets } from '../../../activities/secrets/port.ts';
import { ensureImages } from '../../../infra/images/ensure.ts';
import { builtInPlatforms } from '../../../infra/images/platforms.ts';
import type { Playbook } from '../../../pipelines/model/job.ts';
import type { SealedSecrets } from '../../../pipelines/model/secrets.ts';
import type { PlaybookHosts } from '../../../pipelines/playbooks/inventory.ts';
import type { Programs, StageInput } from '../../../workflows/contract.ts';
import { leasing, stageContext, stageInput, temporaryStore } from '../install/stage.ts';
import { keptOutput } from './kept-output.ts';

const [platform] = builtInPlatforms;
assert.ok(platform);

before(() => ensureImages([{ ...platform, control: true }], () => {}));

const canary = 'canary-77c2 {{ 7 * 6 }}';
const opened: OpenSecrets = async () => [{ secret: 'upload', data: { key: canary }, values: [canary] }];

/** A job: what its repository holds, and what it runs of that. */
interface Job {
  /** Of other projects, and of the merged branch of its own, with `PROJECT:` before them. */
  readonly files: Readonly<Record<string, string>>;
  readonly run?: readonly string[];
  readonly preRun?: readonly string[];
  readonly postRun?: readonly string[];
  readonly hosts?: Partial<PlaybookHosts>;
  readonly secret?: true;
  /** Its platform has no network. */
  readonly closed?: true;
  /** What the playbooks of `run` are besides. */
  readonly bound?: Partial<Playbook>;
  readonly more?: Partial<StageInput>;
}

const bound = { project: 'lib/alpha', branch: 'main', trusted: false, cleanup: false, level: 0, semaphores: [] };

function inputOf({
  run = ['play.yaml'],
  preRun = [],
  postRun = [],
  hosts,
  secret,
  more,
  bound: besides,
}: Job): StageInput {
  const bind = (paths: readonly string[]): Playbook[] => paths.map((path) => ({ ...bound, path }));
  const nobody = { nodes: [['node']], groups: [], hostVars: {}, groupVars: {}, extraVars: {}, returned: [] };
  const books = { preRun: bind(preRun), run: bind(run).map((one) => ({ ...one, ...besides })), postRun: bind(postRun) };
  const programs: Programs = {
    ...books,
    ...{ failureOutput: [], requiredProjects: [], preTimeout: null, postTimeout: null },
    playbooks: { ...nobody, ...hosts },
  };
  const seen = { project: 'lib/alpha', branch: 'main', secrets: [{ name: 'login', secret: 'upload' }] };
  const sealed: SealedSecrets = {
    uses: [{ secret: 'upload', project: 'lib/alpha', encrypted: 'sha256:0' }],
    playbooks: books.run.map(({ path }) => ({ ...seen, path })),
    exposure: 'redact',
    seal: 'seal',
  };
  return stageInput('deb', { stage: 'script', programs, ...(secret ? { secrets: sealed } : {}), ...more });
}

async function runJob(t: TestContext, job: Job) {
  const store = await temporaryStore(t);
  const stage = createScriptStage({
    platform: () => ({ ...(platform ?? assert.fail()), ...(job.closed && { network: 'none' }) }),
    defaultLabel: 'debian-12',
    host: 'host-here',
    openSecrets: opened,
    store,
    branchTip: async (project, branch) => (project !== 'lib/lost' && branch === 'main' ? '3'.repeat(40) : null),
    async sources({ project, commit }, directory) {
      const prefix = project === 'lib/alpha' && commit !== '3'.repeat(40) ? '' : `${project}:`;
      for (const [name, text] of Object.entries(job.files)) {
        if (!name.startsWith(prefix) || name.slice(prefix.length).includes(':')) continue;
        const path = name.slice(prefix.length);
        await mkdir(dirname(join(directory, path)), { recursive: true });
        await writeFile(join(directory, path), text, { mode: text.startsWith('#!') ? 0o755 : 0o644 });
      }
    },
  });
  const context = { ...(await stageContext(t)), failing: async () => {} };
  const result = await leasing(stage.run)(inputOf(job), context);
  return { ...result, said: context.said(), store };
}

/** A play for all hosts. */
function play(tasks: string, more = ''): string {
  return `- hosts: all\n  gather_facts: false\n${more}  tasks:\n${tasks.replace(/^/gm, '    ')}\n`;
}

test('playbooks run on the job’s node, with roles, variables, groups and facts, before and after programs', async (t) => {
  const { result, summary, said, data } = await runJob(t, {
    preRun: ['playbooks/pre.yaml'],
    run: ['playbooks/run.yaml', 'check.sh'],
    postRun: ['post.yaml'],
    hosts: {
      nodes: [['builder', 'alias']],
      groups: [{ name: 'compilers', nodes: ['builder'] }],
      hostVars: { builder: { level: 'host' } },
      groupVars: { compilers: { level: 'group', flag: '-O2' } },
      extraVars: { forced: 'extra' },
      returned: ['told'],
    },
    more: { vars: { level: 'job', greeting: 'hello {{ zuul.project.short_name }}', told: '{{ 6 * 7 }}' } },
    files: {
      'playbooks/pre.yaml': play(
        '- debug: msg="in {{ zuul_execution_phase }}"\n- file: {path: "{{ ansible_user_dir }}/made", state: touch}',
      ),
      'playbooks/run.yaml': `- hosts: compilers
  vars: {forced: play}
  roles: [beside, {role: top, word: given}]
  tasks:
    - debug: msg="{{ greeting }}, {{ level }} {{ flag }} {{ forced }} {{ told }}"
    - assert: {that: ansible_distribution == "Debian" and ansible_user_id == "nobody"}
    - copy: {dest: "{{ lookup('env', 'SLUICE_RETURN') }}", content: '{"answer": 42}'}
`,
      'playbooks/roles/beside/tasks/main.yaml': '- debug: msg="role beside"\n',
      'roles/top/defaults/main.yaml': 'word: default\n',
      'roles/top/tasks/main.yaml': '- debug: msg="role top {{ word }}"\n',
      'check.sh': '#!/bin/sh -e\ntest -e ~/made; echo program ran\n',
      'post.yaml': play(
        '- debug: msg="success {{ zuul_success }} in {{ zuul.projects[\'lib/alpha\'].branch }} of {{ zuul.executor.src_root }}"',
      ),
    },
  });
  assert.equal(result, 'SUCCESS', said);
  assert.equal(summary, 'playbooks/run.yaml, check.sh succeeded');
  assert.deepEqual(data, { answer: 42 });
  const words = [...said.matchAll(/"msg": "(.*)"/g)].map(([, word]) => word);
  const inOrder = ['in pre', 'role beside', 'role top given', 'hello alpha, host -O2 extra {{ 6 * 7 }}'];
  for (const word of [...inOrder, 'success True in main of /work'])
    assert.ok(words.includes(word), `${word}: ${words}`);
  assert.match(said, /program ran/);
});

interface Row {
  readonly says: string;
  readonly job: Job;
  readonly result: readonly [string, RegExp];
  readonly log?: RegExp;
  readonly silent?: RegExp;
}

const say = play('- debug: msg="was run"');
const rows: readonly Row[] = [
  {
    says: 'a task that fails is named, with its file and what it says',
    job: { files: { 'play.yaml': play('- name: Look for it\n  command: sh -c "echo no luck >&2; exit 3"') } },
    result: ['FAILURE', /^play\.yaml: the task "Look for it" \(play\.yaml:4\) failed: non-zero return code: no luck$/],
    log: /TASK \[Look for it\]/,
  },
  {
    says: 'a play that wants to be root is told that there is no such thing, by the facts that it gathers first',
    job: { files: { 'play.yaml': '- {hosts: all, become: true, tasks: [debug: {msg: was run}]}\n' } },
    result: ['FAILURE', /"Gathering Facts" .* sudo: not found; .* no become on the nodes of jobs$/],
  },
  {
    says: 'what was rescued or ignored is no failure',
    job: {
      files: {
        'play.yaml': play(
          '- block: [{fail: {msg: one}}]\n  rescue: [{debug: {msg: saved}}]\n- fail: {msg: two}\n  ignore_errors: true',
        ),
      },
    },
    result: ['SUCCESS', /^play\.yaml succeeded$/],
  },
  {
    says: 'a playbook that is no YAML is named with line and column',
    job: { files: { 'deep/play.yaml': `${say}   bad: [\n` }, run: ['deep/play.yaml'] },
    result: ['ERROR', /^deep\/play\.yaml: deep\/play\.yaml:\d+:\d+: .*did not find expected/],
  },
  {
    says: 'a module that nobody has is named',
    job: { files: { 'play.yaml': play('- no_such_module: {}') } },
    result: ['ERROR', /^play\.yaml: play\.yaml:4:7: couldn't resolve module\/action 'no_such_module'/],
  },
  {
    says: 'a role that nobody has is named, and nothing is run',
    job: { files: { 'play.yaml': play('- debug: msg="was run"', '  roles: [nowhere]\n') } },
    result: ['ERROR', /^play\.yaml: play\.yaml:3:11: the role 'nowhere' was not found/],
    silent: /was run/,
  },
  {
    says: 'a playbook that asks is refused before anything of it is run',
    job: { files: { 'play.yaml': say + play('- fail:', '  vars_prompt: [{name: release, prompt: Which}]\n') } },
    result: ['ERROR', /^play\.yaml asks for release \(vars_prompt\), and nobody answers/],
    silent: /was run/,
  },
  {
    says: 'a pause that asks ends the playbook, and one that waits does not',
    job: {
      files: {
        'play.yaml': play(
          '- pause: {seconds: 1}\n- pause:\n  when: false\n- debug: msg="waited"\n- pause: {prompt: Go on}\n- debug: msg="was run"',
        ),
      },
    },
    result: [
      'ERROR',
      /^play\.yaml: the task "pause" \(play\.yaml:8\) asks for something \(pause\), and nobody answers/,
    ],
    log: /"waited"/,
    silent: /was run/,
  },
  {
    says: 'one that is given the answer is not',
    job: {
      files: { 'play.yaml': play('- debug: msg="{{ release }}"', '  vars_prompt: [{name: release}]\n') },
      hosts: { extraVars: { release: 'trixie' } },
    },
    result: ['SUCCESS', /succeeded$/],
    log: /"msg": "trixie"/,
  },
  {
    says: 'a playbook whose hosts nobody is fails',
    job: { files: { 'play.yaml': say.replace('all', 'nosuch') } },
    result: ['FAILURE', /^play\.yaml: nothing was run: no host of node is among "hosts: nosuch"$/],
  },
  {
    says: 'what takes too long is ended',
    job: { files: { 'play.yaml': play('- command: sleep 60') }, more: { timeout: 4 } },
    result: ['TIMED_OUT', /^play\.yaml was not done in time(: it was in the task "command" \(play\.yaml:4\))?$/],
  },
  {
    says: 'a failure before the run is worth another attempt',
    job: { files: { 'pre.yaml': play('- fail: {msg: no network}'), 'play.yaml': say }, preRun: ['pre.yaml'] },
    result: ['RETRY', /^pre\.yaml: the task "fail" .* failed: no network$/],
    silent: /was run/,
  },
  {
    says: 'settings beside a playbook do not replace those of the node',
    job: { files: { 'ansible.cfg': '[defaults]\ncallbacks_enabled =\n', 'play.yaml': play('- fail: {msg: seen}') } },
    result: ['FAILURE', /failed: seen$/],
  },
];

for (const { says, job, result, log, silent } of rows) {
  test(says, async (t) => {
    const ended = await runJob(t, job);
    assert.equal(ended.result, result[0], `${ended.summary}\n${ended.said}`);
    assert.match(ended.summary, result[1]);
    if (log) assert.match(ended.said, log);
    if (silent) assert.doesNotMatch(ended.said, silent);
  });
}

const sayWho = (who: string) => `- debug: msg="role of ${who}"\n`;
const ahead = { project: 'lib/ahead', branch: 'dev', commit: '4'.repeat(40), tree: '4'.repeat(40) };

test('roles of other projects are found: as the changes ahead make them, else as merged; its own come first', async (t) => {
  const { result, said } = await runJob(t, {
    bound: {
      roles: [
        { project: 'lib/ahead', named: true },
        { project: 'lib/roles', named: true },
        { project: 'lib/itself', named: true },
      ],
    },
    more: { sources: [ahead] },
    files: {
      'play.yaml': play('- debug:', '  roles: [one, two, three, itself]\n'),
      'lib/itself:tasks/main.yaml': sayWho('itself'),
      'roles/one/tasks/main.yaml': sayWho('alpha'),
      'lib/ahead:roles/one/tasks/main.yaml': sayWho('nobody'),
      'lib/ahead:roles/two/tasks/main.yaml': sayWho('ahead'),
      'lib/roles:roles/two/tasks/main.yaml': sayWho('nobody'),
      'lib/roles:roles/three/tasks/main.yaml': sayWho('roles'),
    },
  });
  assert.equal(result, 'SUCCESS', said);
  assert.deepEqual([...said.matchAll(/role of \w+/g)].flat(), [
    'role of alpha',
    'role of ahead',
    'role of roles',
    'role of itself',
  ]);
});

test('a trusted playbook is run as it was merged, with roles as they were merged, and has its secrets', async (t) => {
  const { result, said } = await runJob(t, {
    bound: { trusted: true, roles: [{ project: 'lib/ahead', named: true }] },
    preRun: ['pre.yaml'],
    secret: true,
    more: { sources: [ahead] },
    files: {
      'pre.yaml': play(
        '- copy: {dest: "{{ ansible_user_dir }}/.ansible/roles/two/tasks/main.yaml", content: "- fail:"}',
        '  pre_tasks: [{file: {path: "{{ ansible_user_dir }}/.ansible/roles/two/tasks", state: directory}}]\n',
      ),
      'play.yaml': play('- fail: {msg: proposed}'),
      'lib/alpha:play.yaml': play('- assert: {that: login.key | length == 23}', '  roles: [two]\n'),
      'lib/ahead:roles/two/tasks/main.yaml': sayWho('ahead'),
    },
  });
  assert.equal(result, 'SUCCESS', said);
  assert.match(said, /role of ahead/);
});

test('a project that roles are taken from and that is not there is named', async (t) => {
  const { result, summary } = await runJob(t, {
    bound: { roles: [{ project: 'lib/lost', named: true }] },
    files: { 'play.yaml': say },
  });
  const parent = await runJob(t, {
    bound: { roles: [{ project: 'lib/lost', named: false }] },
    files: { 'play.yaml': say },
  });
  assert.equal(parent.result, 'SUCCESS', 'a parent’s project need not be there');
  const reason = 'play.yaml takes roles from lib/lost, which has no branch main here';
  assert.deepEqual([result, summary], ['ERROR', reason]);
});

test('what playbooks return with zuul_return is returned, as one program after the other returns it', async (t) => {
  const { result, data, artifacts, remarks, said } = await runJob(t, {
    files: {
      'play.yaml':
        play(`- zuul_return: {data: {a: {x: 1}, zuul: {log_url: "https://logs.example.org/1/", warnings: [one]}}}
- zuul_return:
    data: {a: {y: "{{ 1 + 1 }}"}, zuul: {warnings: [two], artifacts: [{name: docs, url: docs/}]}}
  delegate_to: localhost`),
    },
  });
  assert.equal(result, 'SUCCESS', said);
  assert.deepEqual([data, remarks], [{ a: { x: 1, y: '2' } }, ['one', 'two']]);
  assert.deepEqual(artifacts, [{ name: 'docs', url: 'https://logs.example.org/1/docs/' }]);
});

test('a play that no host is among is told where others ran', async (t) => {
  const { result, remarks } = await runJob(t, { files: { 'play.yaml': say + say.replace('all', 'others') } });
  assert.deepEqual([result, remarks], ['SUCCESS', ['play.yaml: no host is among "hosts: others"']]);
});

test('a job without a node is localhost, and among all hosts', async (t) => {
  const { result, said } = await runJob(t, {
    files: { 'play.yaml': play('- debug: msg="{{ inventory_hostname }}"') },
    hosts: { nodes: [] },
    more: { nodes: [] },
  });
  assert.equal(result, 'SUCCESS', said);
  assert.match(said, /"msg": "localhost"/);
});

test('a playbook has its secrets as variables, never as templates, and none of them is shown', async (t) => {
  const { result, summary, said } = await runJob(t, {
    secret: true,
    files: {
      'play.yaml': play(
        '- assert: {that: login.key | length == 23}\n- debug: msg="it is {{ login.key }}"\n- fail: {msg: "no {{ login.key }}"}',
      ),
    },
  });
  assert.equal(result, 'FAILURE', said);
  assert.match(summary, /failed: no \[secret\]$/);
  assert.match(said, /"it is \[secret\]"/);
  assert.doesNotMatch(said, /canary|42/);
});

const two = ['one', 'two'].map((name) => ({ name, label: 'debian-12' }));
const both: Job['hosts'] = {
  nodes: [['one'], ['two', 'second']],
  groups: [{ name: 'servers', nodes: ['two'] }],
};

test('playbooks reach several nodes, which know each other, and nothing of them runs where Ansible does', async (t) => {
  const { result, summary, said, data, artifacts, store } = await runJob(t, {
    more: { nodes: two },
    hosts: both,
    files: {
      'play.yaml': `- hosts: all
  roles: [beside]
  tasks:
    - shell: echo "$(hostname) $(id -un) $PWD $HOME"; echo error >&2; cat lib/alpha/beside.txt
      register: ran
    - assert: {that: "ran.stderr == 'error' and ansible_distribution == 'Debian'"}
    - debug: msg="{{ inventory_hostname }} is {{ ran.stdout_lines | join(' ') }}"
    - shell: id -un; echo $HOME
      become: true
      register: as_root
    - shell: id -un; echo $HOME
      become: true
      become_user: games
      become_method: sudo
      register: as_games
    - debug: msg="became {{ as_root.stdout_lines + as_games.stdout_lines }}"
- hosts: one
  gather_facts: false
  tasks:
    - copy: {content: "{{ 'x' * 3000000 }}", dest: /tmp/large}
    - fetch: {src: /tmp/large, dest: /tmp/fetched, flat: true}
    - copy: {content: node, dest: "{{ ansible_user_dir }}/zuul-output/logs/name"}
    - copy: {content: control, dest: "{{ zuul.executor.log_root }}/name"}
      delegate_to: localhost
    - stat: {path: /tmp/fetched}
      delegate_to: localhost
      register: fetched
    - command: getent hosts second
      failed_when: false
    - command: getent hosts two
      register: found
    - assert: {that: "hostvars['two'].nodepool.private_ipv4 in found.stdout and fetched.stat.size == 3000000"}
    - zuul_return: {data: {label: "{{ hostvars['second'].nodepool.label }}", groups: "{{ groups.servers }}"}}
`,
      'roles/beside/tasks/main.yaml':
        '- command: hostname\n  delegate_to: localhost\n  register: here\n- debug: msg="control is {{ here.stdout }}"\n',
      'beside.txt': 'source\n',
    },
  });
  assert.equal(result, 'SUCCESS', `${summary}\n${said}`);
  for (const word of ['one is one', 'two is two', 'second is two']) {
    assert.match(said, new RegExp(`${word} nobody /work /work source"`));
  }
  assert.match(said, /"became \['root', '\/root', 'games', '\/usr\/games'\]"/);
  assert.match(said, /"control is sluice"/);
  assert.deepEqual(data, { label: 'debian-12', groups: ['two'] });
  assert.deepEqual(await keptOutput(store, artifacts), { name: 'control', 'one/logs/name': 'node' });
});

test('what runs on the nodes ends with the playbook', async (t) => {
  const late = await runJob(t, {
    more: { nodes: two, timeout: 15 },
    hosts: both,
    files: { 'play.yaml': play('- command: sleep 600') },
  });
  assert.equal(late.result, 'TIMED_OUT');
  assert.match(late.summary, /^play\.yaml was not done in time/);
});

test('I10: where the platform has no network, nodes reach each other alone; and one that fails is named', async (t) => {
  const { result, summary, said } = await runJob(t, {
    more: { nodes: two },
    hosts: both,
    closed: true,
    files: {
      'play.yaml': play(`- shell: getent hosts one && getent hosts two && test $(ls /sys/class/net | wc -l) = 2
- shell: timeout 20 bash -c 'exec 3<>/dev/tcp/one/7' 2>&1 | grep -i refused
- shell: test "$(ls /sys/class/net)" = lo
  delegate_to: localhost
- shell: test $(hostname) = one`),
    },
  });
  assert.equal(result, 'FAILURE', said);
  assert.match(summary, /^play\.yaml: the task "shell" \(play\.yaml:8 on (two|second)\) failed: non-zero return code$/);
});

test('what several nodes return at the same time is all returned', async (t) => {
  const { result, said, data } = await runJob(t, {
    more: { nodes: two },
    hosts: both,
    files: {
      'play.yaml': play(`- zuul_return: {data: {all: "{{ {inventory_hostname ~ item: item} }}"}}
  loop: "{{ range(20) }}"`),
    },
  });
  assert.equal(result, 'SUCCESS', said);
  const { all = {} } = data as { readonly all?: object };
  const each = ['one', 'two', 'second'].flatMap((host) => Array.from({ length: 20 }, (_, item) => `${host}${item}`));
  assert.deepEqual(Object.keys(all).toSorted(), each.toSorted());
});

test('a job whose playbooks reach other nodes cannot pause', async (t) => {
  const { result, summary } = await runJob(t, {
    more: { nodes: two },
    hosts: both,
    files: { 'play.yaml': play('- zuul_return: {data: {zuul: {pause: true}}}') },
  });
  assert.equal(result, 'ERROR');
  assert.match(summary, /cannot pause$/);
});
