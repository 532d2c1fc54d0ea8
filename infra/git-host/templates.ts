/** The project templates that fit the paths of a branch: `debian/control` and spec files say how it is packaged. */
export function findTemplates(paths: readonly string[]): string[] {
  const deb = paths.includes('debian/control');
  const rpm = paths.some((path) => /^((rpm|packaging)\/)?[^/]+\.spec$/.test(path));
  return [...(deb ? ['deb-package'] : []), ...(rpm ? ['rpm-package'] : [])];
}
