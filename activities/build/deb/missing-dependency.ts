/**
 * Which build dependencies APT cannot meet, in one line; null when its output tells of none (a fault of the network,
 * say).
 */
export function missingDependency(output: string): string | null {
  const lines = output.split('\n').map((line) => line.trim());
  const unmet = lines.flatMap((line) => {
    const [, relation, why] = /^(?:builddeps:\S+ : )?(?:Pre-)?Depends: (.+?) but (.+)$/.exec(line) ?? [];
    return relation === undefined ? [] : [`${relation} (${why})`];
  });
  if (unmet.length > 0) return `build dependencies cannot be met: ${[...new Set(unmet)].join(', ')}`;
  const conflict = lines.find((line) =>
    /^E: (?:Unable to find a source|Unable to locate|Package '.*' has no|Unmet|Unable to correct)/.test(line),
  );
  if (conflict !== undefined) return `build dependencies cannot be met: ${conflict.slice(3)}`;
  const syntax = lines.find((line) => /^E: (?:Problem parsing dependency|Unable to parse|Failed to parse)/.test(line));
  return syntax === undefined ? null : `debian/control: ${syntax.slice(3)}`;
}
