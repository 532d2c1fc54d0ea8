import type { CommandEntry, CommandGroup } from './command.ts';

/** The commands of each group, in the order of `sluice --help`. */
const table: Readonly<Record<CommandGroup, readonly Omit<CommandEntry, 'group'>[]>> = {
  'Run Sluice': [
    { name: 'init', summary: 'write a commented sluice.yaml', load: () => import('./init.ts') },
    {
      name: 'project add',
      summary: 'put a repository under the gate; prints the push command',
      load: () => import('./project-add.ts'),
    },
    {
      name: 'project import',
      summary: 'take over new branches and tags of upstream, or of a clone',
      load: () => import('./project-import.ts'),
    },
    { name: 'branch add', summary: 'make a branch of a project', load: () => import('./branch-add.ts') },
    { name: 'up', summary: 'run everything on this machine, in the foreground', load: () => import('./up.ts') },
    {
      name: 'down',
      summary: 'stop what runs on the data directory; with --purge remove every trace',
      load: () => import('./down.ts'),
    },
    {
      name: 'reload',
      summary: 'have the configuration file read again',
      load: () => import('./reload.ts'),
    },
    {
      name: 'server',
      summary: 'run the server alone, for an installation on several machines',
      load: () => import('./server.ts'),
    },
    { name: 'worker', summary: 'run workers for some task queues, on this machine', load: () => import('./worker.ts') },
    {
      name: 'token add',
      summary: 'make a token for a worker on another machine',
      load: () => import('./token-add.ts'),
    },
    {
      name: 'token create',
      summary: 'make a token for the test service',
      load: () => import('./token-create.ts'),
    },
    {
      name: 'prune',
      summary: 'remove old logs, artifacts and test repositories, by age and until enough disk is free',
      load: () => import('./prune.ts'),
    },
    {
      name: 'demo',
      summary: 'take real packages from a pushed change to an installed package',
      load: () => import('./demo.ts'),
    },
    {
      name: 'doctor',
      summary: 'say what this machine lacks, and the command that mends it',
      load: () => import('./doctor.ts'),
    },
    { name: 'hook', summary: 'take a push: what the repositories’ hooks run', load: () => import('./hook.ts') },
    {
      name: 'completion',
      summary: 'print the completion script for a shell',
      async load() {
        const { register } = await import('./completion.ts');
        return { register: (program) => register(program, commands) };
      },
    },
  ],
  Packages: [
    { name: 'build', summary: 'build one source by hand, exactly as the gate does', load: () => import('./build.ts') },
    { name: 'lint', summary: 'check packages with lintian or rpmlint', load: () => import('./lint.ts') },
    {
      name: 'compare-versions',
      summary: 'order two package versions exactly as dpkg or rpm does',
      load: () => import('./compare-versions.ts'),
    },
    {
      name: 'install-test',
      summary: 'install, exercise and remove packages on a plain minimal system',
      load: () => import('./install-test.ts'),
    },
    {
      name: 'platform list',
      summary: 'list the platforms that packages are built and tried on',
      load: () => import('./platform-list.ts'),
    },
    { name: 'release plan', summary: 'plan a release of what has merged', load: () => import('./release-plan.ts') },
    { name: 'release list', summary: 'list release plans', load: () => import('./release-list.ts') },
    {
      name: 'release preview',
      summary: 'say what a release plan would do to each repository',
      load: () => import('./release-preview.ts'),
    },
    {
      name: 'release commit',
      summary: 'release what is planned, in all repositories or none',
      load: () => import('./release-commit.ts'),
    },
    {
      name: 'release remove',
      summary: 'forget a release plan that was not carried out',
      load: () => import('./release-remove.ts'),
    },
    {
      name: 'release revert',
      summary: 'take back what a plan, or one change, has released',
      load: () => import('./release-revert.ts'),
    },
    {
      name: 'release metadata',
      summary: 'give a released repository advisories, groups and modules',
      load: () => import('./release-metadata.ts'),
    },
    {
      name: 'repo publish',
      summary: 'add packages to a repository, seen whole or not at all',
      load: () => import('./repo-publish.ts'),
    },
    { name: 'repo remove', summary: 'take packages out of a repository', load: () => import('./repo-remove.ts') },
    {
      name: 'repo metadata',
      summary: 'give a repository advisories, groups and modules',
      load: () => import('./repo-metadata.ts'),
    },
    { name: 'repo list', summary: 'list the packages of a repository', load: () => import('./repo-list.ts') },
    {
      name: 'repo check',
      summary: 'check signatures, hashes, installability and file conflicts',
      load: () => import('./repo-check.ts'),
    },
    { name: 'repo diff', summary: 'compare the packages of two repositories', load: () => import('./repo-diff.ts') },
  ],
  Mirrors: [
    {
      name: 'mirror sync',
      summary: 'send a repository to all mirrors of a set in one transaction',
      load: () => import('./mirror-sync.ts'),
    },
    { name: 'mirror status', summary: 'say what each mirror shows', load: () => import('./mirror-status.ts') },
    {
      name: 'mirror history',
      summary: 'list what mirrors were sent',
      load: () => import('./mirror-history.ts'),
    },
    {
      name: 'mirror rollback',
      summary: 'show an earlier snapshot on all mirrors of a set',
      load: () => import('./mirror-rollback.ts'),
    },
    {
      name: 'mirror verify',
      summary: 'check what mirrors show, as a client would',
      load: () => import('./mirror-verify.ts'),
    },
    {
      name: 'mirror prune',
      summary: 'remove old snapshots that no link points to',
      load: () => import('./mirror-prune.ts'),
    },
    {
      name: 'mirror pause',
      summary: 'let no sync begin on a set until it is resumed',
      load: () => import('./mirror-pause.ts'),
    },
    {
      name: 'mirror resume',
      summary: 'go on with a paused set, and do the sync that waits',
      load: () => import('./mirror-resume.ts'),
    },
  ],
  Machines: [
    { name: 'vm list', summary: 'list the snapshots of virtual machines', load: () => import('./vm-list.ts') },
    {
      name: 'vm prepare',
      summary: 'boot a machine and save it, for jobs to be restored from',
      load: () => import('./vm-prepare.ts'),
    },
    {
      name: 'vm expire',
      summary: 'remove the snapshots that are over the limits',
      load: () => import('./vm-expire.ts'),
    },
    {
      name: 'vm debug',
      summary: 'restore the machines of a failed job, and give a shell there',
      load: () => import('./vm-debug.ts'),
    },
  ],
  Pipelines: [
    {
      name: 'simulate',
      summary: 'run scenario files in virtual time, and check what they expect',
      load: () => import('./simulate.ts'),
    },
    {
      name: 'config check',
      summary: 'load a configuration and say what is wrong with it',
      load: () => import('./config-check.ts'),
    },
    {
      name: 'config freeze',
      summary: 'print the jobs that a change would run, with everything settled',
      load: () => import('./config-freeze.ts'),
    },
    {
      name: 'secret encrypt',
      summary: 'encrypt a secret for the jobs of one project',
      load: () => import('./secret-encrypt.ts'),
    },
  ],
  Look: [
    {
      name: 'status',
      summary: 'print the queues as a tree, with windows, jobs and times left',
      load: () => import('./status.ts'),
    },
    { name: 'watch', summary: 'keep the picture of the queues up to date', load: () => import('./watch.ts') },
    {
      name: 'excuses',
      summary: 'say why changes wait, and what they wait for',
      load: () => import('./excuses.ts'),
    },
    {
      name: 'nodes',
      summary: 'list who has which nodes, who waits for some, and what is free',
      load: () => import('./nodes.ts'),
    },
    { name: 'audit', summary: 'list what people have asked for', load: () => import('./audit.ts') },
    { name: 'builds', summary: 'list builds', load: () => import('./builds.ts') },
    { name: 'buildsets', summary: 'list build sets', load: () => import('./buildsets.ts') },
    {
      name: 'export',
      summary: 'write a build set with all that is needed to run it elsewhere',
      load: () => import('./export.ts'),
    },
    {
      name: 'import',
      summary: 'run the jobs of an export again, and compare the results',
      load: () => import('./import.ts'),
    },
    { name: 'releases', summary: 'list what was released', load: () => import('./releases.ts') },
    { name: 'logs', summary: 'print a build’s log, also while it is written', load: () => import('./logs.ts') },
    { name: 'artifacts', summary: 'list what a build made', load: () => import('./artifacts.ts') },
  ],
  'Work with changes': [
    { name: 'change list', summary: 'list changes of the plain-Git host', load: () => import('./change-list.ts') },
    {
      name: 'change show',
      summary: 'say what happened to a change, why, and what it waits for',
      load: () => import('./change-show.ts'),
    },
    { name: 'comment', summary: 'say something on a change', load: () => import('./comment.ts') },
    { name: 'recheck', summary: 'have a change checked again', load: () => import('./recheck.ts') },
    { name: 'approve', summary: 'vote on a change of the plain-Git host', load: () => import('./approve.ts') },
    { name: 'abandon', summary: 'close a change without merging it', load: () => import('./abandon.ts') },
    { name: 'restore', summary: 'open an abandoned change again', load: () => import('./restore.ts') },
    { name: 'enqueue', summary: 'put a change into a pipeline', load: () => import('./enqueue.ts') },
    { name: 'dequeue', summary: 'take a change out of a pipeline', load: () => import('./dequeue.ts') },
    { name: 'promote', summary: 'move changes to the head of their queue', load: () => import('./promote.ts') },
    { name: 'retrigger', summary: 'run one job of a change again', load: () => import('./retrigger.ts') },
    { name: 'cancel', summary: 'stop a running build', load: () => import('./cancel.ts') },
    {
      name: 'hold',
      summary: 'keep the nodes of a job’s next failure as they are, to look at them',
      load: () => import('./hold.ts'),
    },
    { name: 'hold list', summary: 'list holds, and the nodes that are held', load: () => import('./hold-list.ts') },
    { name: 'hold show', summary: 'show one hold, and its nodes', load: () => import('./hold-show.ts') },
    {
      name: 'hold delete',
      summary: 'delete a hold, and remove what it holds',
      load: () => import('./hold-delete.ts'),
    },
  ],
};

/** Every command there is, in the order of `sluice --help`. */
export const commands: readonly CommandEntry[] = Object.entries(table).flatMap(([group, entries]) =>
  entries.map((entry) => ({ ...entry, group: group as CommandGroup })),
);

/** The commands whose one or two words begin `words`: one command, or all of a group such as `repo`. */
export function findCommands(words: readonly string[]): readonly CommandEntry[] {
  const exact = commands.filter(({ name }) => name === words[0] || name === words.slice(0, 2).join(' '));
  return exact.length > 0 ? exact : commands.filter(({ name }) => name.split(' ')[0] === words[0]);
}
