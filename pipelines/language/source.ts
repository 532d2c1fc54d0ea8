import type { Position, Problem } from '../model/position.ts';
import { shippedProject } from '../model/shipped.ts';
import type { Pattern } from './pattern.ts';

/** One configuration file as it stands in a repository and branch. */
export interface ConfigSource {
  readonly project: string;
  readonly branch: string;
  readonly path: string;
  readonly text: string;
  /** True for a config-project: its files may define pipelines and base jobs. */
  readonly trusted: boolean;
  /** It counts only where a project takes part by one of its templates. */
  readonly offered?: true;
  /** Connection name to driver; without it a connection named like a driver has that driver. */
  readonly connections?: Readonly<Record<string, string>>;
}

/** Where a stanza comes from, shared by all stanzas of a file, with the file's pragmas. */
export interface Origin {
  readonly project: string;
  readonly branch: string;
  readonly path: string;
  readonly trusted: boolean;
  readonly offered?: true;
  /** Offsets of the beginnings of lines, ascending. */
  readonly lineStarts: readonly number[];
  readonly impliedBranchMatchers?: boolean;
  readonly impliedBranches?: readonly Pattern[];
}

/** What every typed stanza has: its name, its origin, and where it and its attributes begin. */
export interface Stanza {
  readonly name: string;
  readonly origin: Origin;
  /** Offset of the stanza in its file. */
  readonly offset: number;
  /** Offset of each attribute's key. */
  readonly marks: Readonly<Record<string, number>>;
}

/** Turns an offset into a position; lines and columns count from 1. */
export function positionAt(origin: Origin, offset: number): Position {
  const { lineStarts } = origin;
  let low = 0;
  let high = lineStarts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((lineStarts[middle] ?? 0) <= offset) low = middle;
    else high = middle - 1;
  }
  return { path: origin.path, line: low + 1, column: offset - (lineStarts[low] ?? 0) + 1 };
}

/** Where a stanza, or one of its attributes, stands. */
function positionOf(stanza: Stanza, attribute?: string): Position {
  const mark = attribute === undefined ? undefined : stanza.marks[attribute];
  return positionAt(stanza.origin, mark ?? stanza.offset);
}

/** A problem of a stanza: at the attribute when there is one, else where the stanza begins. */
export function problemOf(stanza: Stanza, message: string, attribute?: string): Problem {
  const { project, branch } = stanza.origin;
  return { ...positionOf(stanza, attribute), severity: 'error', message, project, branch };
}

/** The same problem as a warning. */
export function asWarning(problem: Problem): Problem {
  return { ...problem, severity: 'warning' };
}

/** `FILE:LINE:COL: message`, as every tool prints it. */
export function problemText(problem: Problem): string {
  return `${problem.path}:${problem.line}:${problem.column}: ${problem.message}`;
}

/**
 * `PROJECT/FILE@BRANCH:LINE:COL: message`, as Zuul names a file of one of many repositories. What `sluice.yaml` says of
 * projects is in no repository.
 */
export function problemTextAnywhere(problem: Problem): string {
  const { project, branch, path, message } = problem;
  if (path === '') return message;
  if (project === undefined || branch === undefined) return problemText(problem);
  if (project === shippedProject && path === 'sluice.yaml') return problemText(problem);
  return problemText({ ...problem, path: `${project}/${path}@${branch}` });
}

/** `PATH:LINE:COL` of a stanza, as frozen jobs name their variants. */
export function placeText(stanza: Stanza): string {
  const { path, line, column } = positionOf(stanza);
  return `${path}:${line}:${column}`;
}
