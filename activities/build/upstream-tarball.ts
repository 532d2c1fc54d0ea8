const tarball = /\.(?:tar(?:\.\w+)?|tgz|tbz2?|txz|tlz|tzst)$/i;
const origTarball = /\.orig(?:-[\w-]+)?\.tar\.\w+$/i;
/** Releases have a version in their names. */
const versioned = /[-_.]v?\d/i;
/** Data of tests lies here, whatever it is called. */
const testData = /(?:^|\/)(?:tests?|testdata|fixtures)\//i;

/**
 * Which file of a tree is an upstream tarball, told by the place where packaging tools look for one: the top, `debian/`,
 * beside an RPM spec, or the SOURCES folder that belongs to it. A tarball elsewhere is data like any other, and so is one
 * without a version in its name at the top of a tree that is unpacked.
 *
 * @param specs paths of the files that are RPM specs by their content.
 */
export function upstreamTarball(paths: readonly string[], specs: readonly string[]): string | undefined {
  const packaging = paths.filter((path) => /(?:^|\/)debian\/(?:changelog|control)$/.test(path)).map(folderOf);
  const beside = new Set(specs.map(folderOf));
  for (const spec of specs) {
    const folder = folderOf(spec);
    const above = /^specs?$/i.test(folder.split('/').pop() ?? '') ? folderOf(folder) : folder;
    for (const name of ['SOURCES', 'sources', 'Sources']) beside.add(above === '' ? name : `${above}/${name}`);
  }
  const placed = (path: string) => {
    const folder = folderOf(path);
    if (beside.has(folder)) return true;
    if (folder === '') return versioned.test(path) || !isUnpacked(paths, path);
    return [...packaging, 'debian'].some((each) => folder === each || folder.startsWith(`${each}/`));
  };
  return paths.find((path) => {
    if (testData.test(path)) return false;
    return origTarball.test(path) || (tarball.test(path) && placed(path));
  });
}

/** Whether there is more than packaging beside the tarball. */
function isUnpacked(paths: readonly string[], tarballPath: string): boolean {
  return paths.some((path) => path !== tarballPath && !/^(?:debian|packaging)\/|^\.|^README/.test(path));
}

function folderOf(path: string): string {
  return path.split('/').slice(0, -1).join('/');
}
