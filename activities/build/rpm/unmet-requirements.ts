import type { Room } from '../room.ts';
import { alternativesOf } from './requirement.ts';

/** Prints the numbers of those requirements that nothing provides, neither installed nor offered; fails if dnf cannot tell. */
const ask = `number=0
for wanted; do
  found=$(dnf repoquery --available --whatprovides "$wanted" 2>/tmp/said) || exit 1
  if grep '^Ignoring repositories: ' /tmp/said | grep -qv ': _dnf_local$'; then exit 1; fi
  [ -n "$found" ] || rpm --query --whatprovides "$wanted" >/dev/null 2>&1 || echo "$number"
  number=$((number + 1))
done`;

/**
 * Which of a spec's requirements nothing provides, as they are written. dnf is asked for each alone: its sentences differ
 * from version to version, and name only the first.
 *
 * @returns null when dnf cannot tell.
 */
export async function unprovided(requirements: readonly string[], room: Room): Promise<readonly string[] | null> {
  const simple = [
    ...new Set(requirements.flatMap((text) => (alternativesOf(text) ?? []).flat().map((one) => one.text))),
  ];
  const { code, output } = await room.root(['sh', '-c', ask, 'sh', ...simple], { quiet: true });
  if (code !== 0) return null;
  const missing = new Set(output.split('\n').flatMap((line) => simple[/^\d+$/.test(line) ? Number(line) : -1] ?? []));
  return unmetOf(requirements, (text) => !missing.has(text));
}

/** The requirements of which no alternative is provided whole; what cannot be decided here (`if`, `unless`) is none. */
export function unmetOf(requirements: readonly string[], provided: (text: string) => boolean): readonly string[] {
  return requirements.filter((text) => {
    const choices = alternativesOf(text);
    return choices !== null && !choices.some((together) => together.every((one) => provided(one.text)));
  });
}

/** The lines by which dnf, of any version, says why it cannot install something. */
export function reasonsIn(output: string): string {
  const lines = output
    .split('\n')
    .filter((line) =>
      /nothing provides|No match|Unable to find a match|conflicts with|does not belong|but none of/i.test(line),
    )
    .map((line) => line.replace(/^[\s-]*(?:Problem(?: \d+)?: )?/, '').trim());
  return [...new Set(lines)].join('; ') || (output.trim().split('\n').pop() ?? '');
}
