import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { exists } from '../../activities/files/exists.ts';
import { systemReason } from '../../activities/files/system-reason.ts';
import { run } from '../../activities/process/run.ts';
import type { ConnectionCheck } from '../../activities/review/connection.ts';
import { absence } from '../../pipelines/report/sentences.ts';
import type { AbsentProject } from '../../server/api/types.ts';
import { createCommon } from '../common/common.ts';
import type { Config } from '../config/load.ts';
import { namedProjects } from '../config/projects.ts';
import { standalone } from '../stack/settings.ts';
import { asSigner } from '../stack/signer.ts';
import { absentProjects } from './absent-projects.ts';
import { openNamed } from './connections.ts';

/** So many projects that are not there are told of by name. */
const mostTold = 5;

/** All that is looked at, in the order in which it is told. */
const all: readonly ConnectionCheck['name'][] = ['login', 'events', 'git', 'labels', 'rights', 'webhook', 'clock'];

/** Asks the review system of a connection, with the rights and the secrets of this process: one line of each kind. */
export async function checkConnection(config: Config, name: string): Promise<readonly ConnectionCheck[]> {
  return withRest(await askConnection(config, name));
}

/** What was not looked at, because of what was found before it, is no better than wrong. */
export function withRest(checks: readonly ConnectionCheck[]): readonly ConnectionCheck[] {
  const fault = checks.find(({ ok }) => !ok)?.name ?? 'login';
  return all.map(
    (name) => checks.find((one) => one.name === name) ?? { name, ok: false, message: `not looked at: see ${fault}` },
  );
}

async function askConnection(config: Config, name: string): Promise<readonly ConnectionCheck[]> {
  const unreadable = await unreadableFiles(`connections.${name}`, config.connections[name] ?? {});
  if (unreadable.length > 0) return [{ name: 'login', ok: false, message: unreadable.join('; ') }];
  const { check, host } = openNamed(createCommon(standalone(config)), name);
  try {
    if (check === undefined) {
      return all.map((one) => ({ name: one, ok: true, message: 'Sluice itself is the host: there is nobody to ask' }));
    }
    const named = namedProjects(config.projects, name);
    const asked = await check();
    // Why they cannot be listed is said already.
    const checks = withProjects(asked, await absentProjects(host, named).catch(() => []));
    // Before the first start there are no directories that the signer would have to pass.
    if (!(await exists(config.data))) return checks;
    return await withSigner(checks, config.connections[name] ?? {}, (command) => asSigner(command, config.data));
  } catch (error) {
    return [{ name: 'login', ok: false, message: (error as Error).message }];
  }
}

/** The checks with the projects that are named and not there. */
export function withProjects(
  checks: readonly ConnectionCheck[],
  absent: readonly AbsentProject[],
): readonly ConnectionCheck[] {
  if (absent.length === 0) return checks;
  const told = absent.slice(0, mostTold).map(({ project, now }) => absence(project, now));
  const message = [
    ...told,
    ...(absent.length > mostTold ? [`${absent.length - mostTold} more are not shown`] : []),
  ].join('; ');
  return checks.map((one) => {
    if (one.name !== 'git') return one;
    return { ...one, ok: false, message: one.ok ? message : `${one.message}; ${message}` };
  });
}

/**
 * The checks with what the signer cannot do: it asks hosts for itself, and needs to read what the connection names.
 *
 * @param as the command line that runs a command as the signer does
 */
export async function withSigner(
  checks: readonly ConnectionCheck[],
  settings: object,
  as: (command: readonly string[]) => readonly string[],
): Promise<readonly ConnectionCheck[]> {
  const asked = filesOf(settings).map(async ({ path }) => {
    const [program = '', ...args] = as(['head', '--bytes=1', '--', path]);
    return (await run(program, args, { timeout: 10_000 })).code === 0 ? [] : [path];
  });
  const unreadable = (await Promise.all(asked)).flat();
  if (unreadable.length === 0) return checks;
  const message =
    `the signer cannot read ${unreadable.join(' and ')}: nothing of this connection is released before it can; ` +
    `chown sluice-signer ${unreadable.join(' ')}`;
  return checks.map((one) => (one.name === 'git' && one.ok ? { ...one, ok: false, message } : one));
}

/** What settings name and this process cannot read, each by its place in the configuration. */
async function unreadableFiles(place: string, settings: object): Promise<readonly string[]> {
  const found = filesOf(settings).map(({ key, path }) =>
    access(path, constants.R_OK).then(
      () => [],
      (error) => [`${place}.${key}: ${path} cannot be read: ${systemReason(error)}`],
    ),
  );
  return (await Promise.all(found)).flat();
}

interface NamedFile {
  readonly key: string;
  readonly path: string;
}

/** The files that settings name, those of secrets among them; webhooks are the server's affair alone. */
function filesOf(settings: object, above: readonly string[] = []): readonly NamedFile[] {
  return Object.entries(settings).flatMap(([key, value]): readonly NamedFile[] => {
    if (key === 'webhookSecret') return [];
    const keys = [...above, key];
    if (typeof value === 'object' && value !== null) return filesOf(value, keys);
    const named = typeof value === 'string' && ['identity', 'knownHosts', 'file'].includes(key);
    return named ? [{ key: keys.join('.'), path: value }] : [];
  });
}
