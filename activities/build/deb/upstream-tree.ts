import { placeFile, places, type Room } from '../room.ts';

const script = `${places.home}/take-out-patches`;

/** In reverse order, and as strictly as dpkg-source puts them in; unless every patch comes out, the tree stays as it is. */
const takeOut = `set -eu
rm -rf source/.pc
[ -f source/debian/patches/series ] || exit 0
sed -e 's/[[:space:]]#.*//' -e '/^[[:space:]]*\\(#.*\\)\\{0,1\\}$/d' source/debian/patches/series | tac > "$HOME/series"
[ -s "$HOME/series" ] || exit 0
cp -a source upstream
while read -r name option rest; do
  case $option in -p[0-9]*) ;; *) option=-p1 ;; esac
  if ! patch --reverse --force --silent --fuzz=0 --no-backup-if-mismatch --reject-file=- "$option" \\
    --directory=upstream < "source/debian/patches/$name" > /dev/null 2>&1; then
    rm -rf upstream
    exit 0
  fi
done < "$HOME/series"
rm -rf source
mv upstream source
echo 'debian/patches were applied in the tree: taken out for the upstream tarball'
`;

/**
 * Makes the work directory's `source` what dpkg-source wants of a quilt package: upstream's tree with `debian/` in it.
 * A tree that comes from unpacking a source package has its patches applied; one that is kept in Git may have or not.
 *
 * @throws BuildProblem when the tree cannot be copied.
 */
export async function restoreUpstream(room: Room): Promise<void> {
  await placeFile(room, script, takeOut);
  await room.build('source package', ['sh', script], { cwd: places.work });
}
