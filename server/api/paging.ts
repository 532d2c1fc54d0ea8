import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { PageStart } from '../port.ts';

/** The most that one answer has; lists go on where its `Link: <…>; rel="next"` leads. */
export const most = 500;

/** A page's beginning as it stands in an address: the last record of the page before it. */
export const after = z
  .string()
  .max(1_000)
  .regex(/^\d{1,16}\..+$/s, 'take it from the answer before, as it is')
  .optional()
  .describe('where the page before ended: from its header `Link`, rel="next"');

/** Where a page begins; undefined: with the newest. */
export function pageStart(text: string | undefined): PageStart | undefined {
  if (text === undefined) return undefined;
  const dot = text.indexOf('.');
  return { startTime: Number(text.slice(0, dot)), id: text.slice(dot + 1) };
}

/** One page of a list, and where the next one begins. */
export interface ListPage<T> {
  readonly shown: readonly T[];
  /** Undefined: there is no more. */
  readonly next: string | undefined;
}

/** The first `limit` of records of which one more was asked for, so that it is known whether there are more. */
export function cut<T>(found: readonly T[], limit: number, place: (one: T) => PageStart): ListPage<T> {
  const shown = found.slice(0, limit);
  const last = shown.at(-1);
  if (found.length <= limit || last === undefined) return { shown, next: undefined };
  const { startTime, id } = place(last);
  return { shown, next: `${startTime}.${id}` };
}

/** Answers with a page, and with the way to the next one in its header. */
export function sendPage<T>(request: FastifyRequest, reply: FastifyReply, { shown, next }: ListPage<T>): FastifyReply {
  if (next !== undefined) reply.header('link', `<${nextAddress(request.url, next)}>; rel="next"`);
  return reply.send(shown);
}

/** The address of a list with another beginning. */
function nextAddress(address: string, next: string): string {
  const [path, query] = address.split('?', 2);
  const words = new URLSearchParams(query);
  words.set('after', next);
  return `${path}?${words}`;
}
