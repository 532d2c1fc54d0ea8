/** What the report says of a build that made nothing itself. */
export function reusedBuild(of: {
  readonly pipeline: string;
  readonly change: string;
  readonly patchset: number;
}): string {
  return `reused the build of ${of.change},${of.patchset} in ${of.pipeline}`;
}
