/** What rpm says of a spec that is not for this platform, and the tag that says so. */
const words: readonly (readonly [RegExp, string])[] = [
  [/^error: Architecture is not included: (\S+)/m, 'ExclusiveArch'],
  [/^error: Architecture is excluded: (\S+)/m, 'ExcludeArch'],
  [/^error: OS is not included: (\S+)/m, 'ExclusiveOS'],
  [/^error: OS is excluded: (\S+)/m, 'ExcludeOS'],
];

/** Why rpm takes a platform for none that a spec is for, in one line; null when its output tells of nothing of the kind. */
export function exclusionIn(output: string): string | null {
  for (const [pattern, tag] of words) {
    const platform = pattern.exec(output)?.[1];
    if (platform !== undefined) return `excluded: ${tag} leaves out ${platform}`;
  }
  const none = /^error: No compatible architectures found for build/m.test(output);
  return none ? 'excluded: BuildArch has no architecture that can be built here' : null;
}
