import type { Change } from '../../../pipelines/model/change.ts';
import { readDependsOn, subjectOf } from '../footers.ts';
import { contains, type Desk, type Proposal } from './look.ts';
import { changeId, parseProposalName, proposalRef } from './names.ts';

/** Characters of a message that are carried on, changes that one may name, and files that are told one by one. */
const longestMessage = 64 * 1024;
const mostNeeds = 100;
const mostFiles = 3_000;

export async function toChange(desk: Desk, proposal: Proposal): Promise<Change> {
  const { name, state } = proposal;
  const { connection } = desk;
  const id = changeId(connection, name);
  const head = state.heads.at(-1) ?? '';
  const patchset = state.heads.length;
  const { message, author, files } = await describe(desk, proposal, head);
  const merged = state.status === 'merged' ? state.merged : null;
  const text = message.toWellFormed();
  return {
    ...{ id, key: `${id},${patchset}`, kind: 'change', connection, project: name.project },
    ...{ branch: state.target ?? '', ref: proposalRef(name.topic), patchset },
    ...(merged?.oldrev === undefined ? {} : { oldrev: merged.oldrev }),
    newrev: merged?.newrev ?? head,
    files,
    message: text.slice(0, longestMessage).toWellFormed(),
    subject: subjectOf(text).slice(0, 1_000).toWellFormed(),
    owner: (/^(.*?) ?</.exec(author)?.[1] ?? '').toWellFormed().slice(0, 200),
    topic: name.topic,
    parents: state.status === 'open' ? await parentsOf(desk, proposal, head) : [],
    dependsOn: dependencies(connection, text),
    status: state.status,
    current: true,
    wip: false,
    mergeable: state.status === 'open',
    votes: state.votes.filter(({ value }) => value !== 0),
  };
}

interface Described {
  readonly message: string;
  readonly author: string;
  readonly files: readonly string[] | null;
}

const forgotten: Described = { message: '', author: '', files: null };

/** Of one that is gone the commits may be gone as well. */
function describe(desk: Desk, { name, sight, state }: Proposal, head: string): Promise<Described> {
  const { project } = name;
  const { git } = desk;
  const tip = state.status === 'open' ? sight.tip : null;
  const read = async () => {
    const { message, author, parents } = await git.readCommit(project, head);
    const base = tip === null ? (parents[0] ?? null) : await git.mergeBase(project, tip, head);
    const files = await git.changedFiles(project, base, head);
    return { message, author, files: files.length > mostFiles ? null : files };
  };
  const found = desk.found.take(`describe ${project} ${tip} ${head}`, read);
  return state.status === 'open' ? found : found.catch(() => forgotten);
}

/** Names of this host's changes become ids, others stay as they are written: whose they are, their hosts know. */
function dependencies(connection: string, message: string): string[] {
  const names = readDependsOn(message).map((name) => {
    const own = parseProposalName(name, connection);
    return own === null ? name.slice(0, 500) : changeId(connection, own);
  });
  return [...new Set(names)].slice(0, mostNeeds);
}

/** Open proposals for the same branch whose heads this one contains, but for those that another of them contains. */
async function parentsOf(desk: Desk, { name, refs, state, sight }: Proposal, head: string): Promise<string[]> {
  const { project } = name;
  const below: (readonly [string, string])[] = [];
  for (const [topic, commit] of refs.proposals) {
    if (topic === name.topic || commit === head) continue;
    if (!(await contains(desk, { project, tip: head, commit }))) continue;
    if (sight.tip !== null && (await contains(desk, { project, tip: sight.tip, commit }))) continue;
    below.push([topic, commit]);
  }
  const direct: string[] = [];
  for (const [topic, commit] of below) {
    const others = below.filter(([other, at]) => other !== topic && at !== commit);
    const hidden = await Promise.all(others.map(([, at]) => contains(desk, { project, tip: at, commit })));
    if (!hidden.includes(true)) direct.push(changeId(desk.connection, { project, topic }));
  }
  return state.target === null ? [] : direct;
}
