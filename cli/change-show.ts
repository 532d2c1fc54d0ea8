import type { Command } from 'commander';
import type { ChangeShown } from '../server/api/types.ts';
import { stateOf } from '../web/state.ts';
import { addClientOptions, type ClientOptions, createClient } from './client.ts';
import { addCommand } from './command.ts';
import { printRecords, when } from './look-back.ts';
import { paint, worded } from './output.ts';
import { resultSign } from './queue-tree.ts';

/** Adds `change show`. */
export function register(program: Command): void {
  const examples = ['sluice change show 7', 'sluice change show tinycdb/7 --json | jq .story'];
  const details = 'What happened to a change and why, what it waits for, and what can be done now.';
  addClientOptions(addCommand(program, 'change show', { examples, details }))
    .argument('<change>', 'number, PROJECT/NUMBER, CONNECTION:NUMBER or Change-Id')
    .action(async (change: string, options: ClientOptions) => {
      const path = `/api/changes/${encodeURIComponent(change)}/story`;
      printRecords(await createClient(options).get<ChangeShown>(path), render, options);
    });
}

function render(shown: ChangeShown): string {
  const { change, commit, fetch, story, needs } = shown;
  const votes = change.votes.map(({ label, value, by }) => `${label} ${signed(value)} by ${by}`);
  return [
    paint('bold', `${change.key} ${change.subject}`),
    paint(
      'dim',
      `${change.project} ${change.branch} · by ${change.owner}${commit && ` · commit ${commit.slice(0, 12)}`}`,
    ),
    '',
    worded(story.state),
    ...section('Why', story.why.map(worded)),
    ...section('It waits for', story.waitsFor.map(worded)),
    ...section('What you can do', story.next.map(worded)),
    ...section(
      'Needs',
      needs.map(({ id, subject, status }) => `${id} ${subject} (${status})`.replace('  ', ' ')),
    ),
    ...section('Votes', votes),
    ...section('Labels', change.labels ?? []),
    ...section('Files', change.files?.map((name) => name.replaceAll('\n', '\ufffd')) ?? ['too many to list']),
    ...section(
      'Builds',
      shown.builds.map((build) => buildLine(build, shown.byHand[build.id])),
    ),
    ...section('What happened', allThatHappened(shown)),
    ...section('Fetch it', [fetch]),
  ].join('\n');
}

function section(title: string, lines: readonly string[]): string[] {
  if (lines.length === 0) return [];
  return ['', paint('bold', title), ...lines.map((line) => `  ${line.replaceAll('\n', '\n    ')}`)];
}

function buildLine(build: ChangeShown['builds'][number], byHand: string | undefined): string {
  const { id, pipeline, patchset, job, attempt, summary } = build;
  const [symbol, colour] = resultSign(stateOf(build));
  const again = attempt > 1 ? ` ×${attempt}` : '';
  const what = `${pipeline} ${job}${again}, patch set ${patchset}`;
  const said = [stateOf(build), byHand, summary].filter(Boolean).join(', ');
  return `${paint(colour, symbol)} ${id}  ${what}: ${said}`;
}

/** What its host tells of it, and what people asked Sluice for, the oldest first. */
function allThatHappened({ happenings, acts }: ChangeShown): readonly string[] {
  const told = happenings.map((each) => ({ time: each.time, text: happeningText(each) }));
  const asked = acts.map(({ time, by, text }) => ({ time, text: `${when(time)} ${by}: ${text}` }));
  return [...told, ...asked].sort((a, b) => a.time - b.time).map(({ text }) => text);
}

function happeningText({ time, by, type, patchset, text, votes, report }: ChangeShown['happenings'][number]): string {
  const what =
    type === 'patchset' ? `patch set ${patchset}` : (report?.action ?? ((text ?? votes.length > 0) ? '' : type));
  const cast = votes.map(({ label, value }) => `${label} ${signed(value)}`);
  const who = report === null ? by : `${by} (${report.pipeline})`;
  const head = [`${when(time)} ${who}`, [what, ...cast].filter((word) => word !== '').join(', ')];
  return [head.filter((part) => part !== '').join(': '), ...(text === null ? [] : [text])].join('\n');
}

function signed(value: number): string {
  return `${value > 0 ? '+' : ''}${value}`;
}
