import type { Bond } from '../../pipelines/formats/format.ts';
import { andMore, counted, someOf } from '../../pipelines/model/words.ts';
import type { TestCase } from '../../pipelines/report/junit.ts';
import type { StageResult } from '../../workflows/contract.ts';
import { caseArtifacts } from '../install/case-artifacts.ts';
import type { BlobStore } from '../ports.ts';
import { describePair } from '../repository/conflicts.ts';
import { keepTexts } from '../storage/keep-texts.ts';
import type { Clashes } from './clashes.ts';
import type { Look } from './look.ts';
import type { Unmet } from './try-resolve.ts';

interface Found extends Pick<Look, 'coming' | 'leaning' | 'leaving' | 'downgrades'>, Clashes {
  /** Of what comes, what cannot be installed. */
  readonly broken: readonly Unmet[];
  /** Of what leans on it, the same. */
  readonly unmet: readonly Unmet[];
  /** Of those, the ones that could not be installed before either. */
  readonly before: readonly Unmet[];
}

/** Keeps what was found, and says how it went. */
export async function report(store: Pick<BlobStore, 'put' | 'url'>, found: Found): Promise<StageResult> {
  const { coming, leaning, leaving, broken, unmet, before, clashes } = found;
  const known = new Set(before.map(({ one }) => one));
  const fresh = unmet.filter(({ one }) => !known.has(one));
  const problems = [
    ...(found.downgrades.length === 0 ? [] : [someOf(found.downgrades)]),
    ...broken.map(({ one, problem }) => `${nameOf(one)} cannot be installed: ${problem}`),
    ...fresh.map(({ one, problem }) => `${nameOf(one)} can no longer be installed: ${problem}`),
    ...clashes.map(({ problem }) => problem),
  ];
  const notes = [
    ...before.map(({ one, problem }) => `${nameOf(one)} could not be installed before either: ${problem}`),
    ...(found.unread === 0 ? [] : [unreadNote(found)]),
  ];
  const [named, needing, without] = [coming, leaning, leaving].map((some) => some.map(nameOf));
  const whole = { coming: named, leaning: needing, leaving: without, problems, notes };
  const artifacts = [
    ...(await caseArtifacts(store, [
      ...coming.map((one) => caseOf('comes', one, broken)),
      ...leaning.map((one) => caseOf('needs them', one, known.has(one) ? [] : unmet)),
      ...clashes.map(({ pair, problem }) => ({
        ...{ suite: 'repocheck files', name: describePair(pair), seconds: 0 },
        failure: { message: problem, text: problem },
      })),
    ])),
    ...(await keepTexts(store, { 'repocheck.json': `${JSON.stringify(whole, null, 2)}\n` })),
  ];
  const [first] = problems;
  if (first === undefined) return { result: 'SUCCESS', summary: goodSummary(found), artifacts };
  return { result: 'FAILURE', summary: `${first}${andMore(problems.length)}`, artifacts };
}

function unreadNote({ unread }: Found): string {
  return `files of ${counted(unread, 'package')} were not compared: they are too many to be fetched`;
}

function goodSummary({ coming, leaning, before, unread }: Found): string {
  const still = leaning.length - before.length;
  return [
    `${counted(coming.length, 'package')} can be installed`,
    ...(still === 0
      ? []
      : [`so can still ${counted(still, 'package')} that ${still === 1 ? 'needs' : 'need'} something of them`]),
    ...(before.length === 0 ? [] : [`${counted(before.length, 'package')} could not be before either`]),
    ...(unread === 0 ? [] : [`${counted(unread, 'package')} of the rest not compared`]),
  ].join('; ');
}

function nameOf({ name, version }: Bond): string {
  return `${name} ${version}`;
}

function caseOf(of: string, one: Bond, unmet: readonly Unmet[]): TestCase {
  const problem = unmet.find((each) => each.one === one)?.problem;
  const failure = problem === undefined ? {} : { failure: { message: problem, text: problem } };
  return { suite: `repocheck ${of}`, name: nameOf(one), seconds: 0, ...failure };
}
