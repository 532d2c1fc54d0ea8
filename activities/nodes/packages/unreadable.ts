import { downloadFault } from './download-fault.ts';
import type { NodeRepository } from './port.ts';

/** Lines by which apt and dnf say what is wrong with a repository, the most telling first. */
const reasons: readonly RegExp[] = [
  /^[EW]: (?:GPG error:|Failed to fetch|The repository) .*$/m,
  /^\s*(?:- |>>> )?(?:Curl error|Status code).*$/m,
  /^E: .*$/m,
  /^(?:Error|error): .*$/m,
];

/**
 * Which of the repositories that were offered to a node cannot be read, and why, in one line.
 *
 * @param output all that the package manager said
 */
export function unreadable(output: string, repositories: readonly Pick<NodeRepository, 'url'>[]): string {
  const reason = reasons.map((pattern) => pattern.exec(output)?.[0]).find((line) => line !== undefined);
  const told = (reason ?? downloadFault(output) ?? lastWord(output)).trim().replace(/^(?:- |>>> )/, '');
  const url = culprit(output, repositories);
  return url === undefined || told.includes(url) ? told : `${url}: ${told}`;
}

function culprit(output: string, repositories: readonly Pick<NodeRepository, 'url'>[]): string | undefined {
  const position = /(?:metadata|download)(?: \(.*\))? for repo(?:sitory)? ['"]?sluice-(\d+)\b/i.exec(output)?.[1];
  if (position !== undefined) return repositories[Number(position)]?.url;
  const bad = output.split('\n').filter((line) => /^(?:Err:|[EW]: )/.test(line));
  const named = repositories.find(({ url }) => bad.some((line) => line.includes(url)));
  return (named ?? (repositories.length === 1 ? repositories[0] : undefined))?.url;
}

function lastWord(output: string): string {
  const lines = output.split('\n').filter((line) => line.trim() !== '' && !/^(?:Ign|Get|Hit):/.test(line));
  return lines.at(-1) ?? 'it says nothing';
}
