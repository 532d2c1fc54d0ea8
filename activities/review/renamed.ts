import type { z } from 'zod';
import { absence } from '../../pipelines/report/sentences.ts';
import { show } from '../git/names.ts';
import type { ReviewHost } from './port.ts';
import type { RestClient } from './rest.ts';

/** What is said of projects that are not under their names any more. */

/**
 * What a project is called where the host leads on from its old path.
 *
 * @param name reads what is at that place as its name
 * @returns null where the host does not lead on
 */
export async function followName(
  client: Pick<RestClient, 'moved' | 'find'>,
  path: string,
  name: z.ZodType<string>,
): Promise<string | null> {
  const to = await client.moved(path);
  return to === null ? null : client.find(to, name);
}

const projectOf = /^(?:[^:/]+:)?([^#!:]+)[#!]\d+$/;

/** Why a change is not there; of a project that the host calls by another name now, with that name. */
export async function whyNoChange(nameNow: ReviewHost['nameNow'], text: string): Promise<string> {
  const none = `there is no change ${show(text)}`;
  const [, project] = projectOf.exec(text) ?? [];
  // That the reason cannot be had is no reason to say nothing.
  const now = project === undefined ? null : await nameNow?.(project).catch(() => null);
  return project !== undefined && now ? `${none}: ${absence(project, now)}` : none;
}
