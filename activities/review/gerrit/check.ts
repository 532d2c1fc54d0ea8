import { HostAway } from '../../outcome.ts';
import { run } from '../../process/run.ts';
import type { ConnectionCheck } from '../connection.ts';
import type { GerritSettings } from '../settings.ts';
import type { Gerrit } from './lookup.ts';
import { nameOf } from './map.ts';
import { openGerritRemote } from './remote.ts';
import { capabilitiesSchema, permittedSchema, projectSchema, selfSchema } from './schema.ts';
import { openCommand } from './ssh.ts';
import { isReadOnly, mayForge, mayPush, maySubmit } from './submit.ts';

/** What is asked of the live host. */
interface Subject {
  readonly gerrit: Gerrit;
  readonly settings: GerritSettings;
  /** Projects of the connection, as the host lists them. @throws where it does not, or where there are none */
  projects(): Promise<readonly string[]>;
}

type Found = Pick<ConnectionCheck, 'ok' | 'message'>;

/** Seconds that the clocks may differ by. */
const mostSkew = 60;
/** Projects that are looked at one by one. */
const few = 20;

/** The label that the shipped pipelines vote with, and its values. */
const verdict = { label: 'Verified', values: [-2, -1, 1, 2] };

/** Asks the host whether all is as Sluice needs it. Never throws: what goes wrong is a line. */
export async function checkGerrit(
  gerrit: Gerrit,
  settings: GerritSettings,
  listProjects: () => Promise<readonly string[]>,
): Promise<readonly ConnectionCheck[]> {
  const listed = listProjects().then((all) => {
    const own = all.filter(gerrit.owns);
    if (own.length > 0) return own;
    throw new Error('the account sees no project of this connection: grant Read on refs/*');
  });
  const subject = { gerrit, settings, projects: () => listed };
  const checks = { login, events, git, labels, rights, webhook, clock };
  return Promise.all(
    Object.entries(checks).map(async ([name, check]) => {
      const found = await check(subject).catch((error: Error) => bad(error.message));
      return { name: name as ConnectionCheck['name'], ...found };
    }),
  );
}

async function login({ gerrit, settings }: Subject): Promise<Found> {
  if (settings.password === undefined) {
    return bad(`no password is given: make one for ${gerrit.own} in Gerrit (Settings, HTTP Credentials), and name it`);
  }
  const self = selfSchema.parse((await gerrit.client.read('/accounts/self')) ?? {});
  const name = nameOf(self);
  if (name !== gerrit.own) return bad(`the password is of ${name}, and SSH is done as ${gerrit.own}: use one account`);
  return good(`as ${name} at ${settings.url}`);
}

async function events({ gerrit, settings }: Subject): Promise<Found> {
  const channel = await openCommand(settings, 'gerrit version');
  channel.resume();
  await new Promise((resolve) => channel.once('close', resolve));
  const able = capabilitiesSchema.parse((await gerrit.client.read('/accounts/self/capabilities')) ?? {});
  if (able.streamEvents) return good('SSH lets us in, and stream-events is allowed');
  return bad(`${gerrit.own} may not stream events: add it to the group Service Users, or grant Stream Events`);
}

async function git({ settings, projects }: Subject): Promise<Found> {
  const [project = ''] = await projects();
  const remote = openGerritRemote(settings, project, 'anew');
  const env = { ...(await remote.access()), GIT_TERMINAL_PROMPT: '0' };
  const { code, stderr } = await run('git', ['ls-remote', '--quiet', remote.url, 'HEAD'], { env, timeout: 30_000 });
  return code === 0 ? good(`${project} can be fetched`) : bad(`${project} cannot be fetched: ${lastLine(stderr)}`);
}

async function labels({ gerrit, settings, projects }: Subject): Promise<Found> {
  const wanted = [verdict, ...(settings.approve === undefined ? [] : [approval(settings.approve)])];
  const missing: string[] = [];
  for (const project of (await projects()).slice(0, few)) {
    const { labels: there = {} } = projectSchema.parse(
      (await gerrit.client.read(`/projects/${encodeURIComponent(project)}`)) ?? {},
    );
    for (const { label, values } of wanted) {
      const known = Object.hasOwn(there, label) ? Object.keys(there[label]?.values ?? {}).map(Number) : [];
      const absent = values.filter((value) => !known.includes(value));
      if (absent.length > 0) missing.push(`${project} has no ${label} ${absent.map(signed).join(', ')}`);
    }
  }
  if (missing.length > 0) return bad(`${missing.slice(0, 5).join('; ')}: add it to project.config of All-Projects`);
  return good(`${wanted.map(({ label }) => label).join(' and ')} with every value that is given`);
}

async function rights({ gerrit, projects }: Subject): Promise<Found> {
  const none: string[] = [];
  const mute: string[] = [];
  const byHost: string[] = [];
  const ownOnly: string[] = [];
  const readOnly: string[] = [];
  for (const project of (await projects()).slice(0, few)) {
    if (await isReadOnly(gerrit, project)) {
      readOnly.push(project);
      continue;
    }
    if (!(await mayVote(gerrit, project))) mute.push(project);
    const on = { project, branch: await mainBranch(gerrit, project) };
    if ((await mayPush(gerrit, on)) === true) {
      // Of Push Merge Commit Gerrit answers nothing (3.10.2): a merge shows it.
      if ((await mayForge(gerrit, on)) === false) ownOnly.push(project);
      continue;
    }
    ((await maySubmit(gerrit, on)) === false ? none : byHost).push(project);
  }
  if (none.length > 0) {
    return bad(`${gerrit.own} may neither push to refs/heads/* nor submit in ${some(none)}: grant Push`);
  }
  if (ownOnly.length > 0) {
    return bad(`${gerrit.own} may push nobody else's commits in ${some(ownOnly)}: grant Forge Committer Identity`);
  }
  if (mute.length > 0) {
    return bad(`${gerrit.own} may not vote ${verdict.label} -2 to +2 in ${some(mute)}: grant Label ${verdict.label}`);
  }
  const closed = readOnly.length === 0 ? '' : `; read-only, so that nothing is merged there: ${some(readOnly)}`;
  if (byHost.length === 0) return good(`tested commits are pushed: what lands is what was tested${closed}`);
  return good(
    `in ${some(byHost)} Gerrit merges in its own way, as far as we can see: grant Push and Push Merge ` +
      `Commit on refs/heads/* to land exactly what was tested (and View Access, so that it can be asked)${closed}`,
  );
}

/** Gerrit tells of changes alone what one may vote: where none is open, a vote will show it. */
async function mayVote({ client }: Gerrit, project: string): Promise<boolean> {
  const query = new URLSearchParams({ q: `project:{${project}} status:open`, n: '1', o: 'DETAILED_LABELS' });
  const [open] = permittedSchema.parse((await client.read(`/changes/?${query}`)) ?? []);
  const { [verdict.label]: values } = open?.permitted_labels ?? {};
  return open === undefined || verdict.values.every((value) => values?.map(Number).includes(value));
}

async function mainBranch({ client }: Gerrit, project: string): Promise<string> {
  const head = await client.read(`/projects/${encodeURIComponent(project)}/HEAD`);
  return typeof head === 'string' ? head.replace(/^refs\/heads\//, '') : 'master';
}

async function webhook(): Promise<Found> {
  return good('none is needed: events come by SSH');
}

async function clock({ gerrit }: Subject): Promise<Found> {
  const before = Date.now();
  const answer = await gerrit.client.call('GET', '/config/server/version');
  const ours = (before + Date.now()) / 2;
  const theirs = answer.ok ? Date.parse(answer.headers.get('date') ?? '') : Number.NaN;
  if (Number.isNaN(theirs)) throw new HostAway('the host does not say what time it is');
  const skew = Math.round((theirs - ours) / 1_000);
  const said = `the host's clock is ${Math.abs(skew)} s ${skew < 0 ? 'behind' : 'ahead of'} ours`;
  return Math.abs(skew) <= mostSkew ? good(said) : bad(`${said}: let both follow one time server`);
}

function some(projects: readonly string[]): string {
  return projects.slice(0, 5).join(', ');
}

function approval({ label, value = 1 }: NonNullable<GerritSettings['approve']>) {
  return { label, values: [value] };
}

function signed(value: number): string {
  return value > 0 ? `+${value}` : String(value);
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1)?.slice(0, 300) ?? '';
}

function good(message: string): Found {
  return { ok: true, message };
}

function bad(message: string): Found {
  return { ok: false, message };
}
