import type { HostFiles } from '../port.ts';
import { bring } from './bring.ts';
import type { Shell } from './shell.ts';

const scripts = {
  has: 'if [ -e "$1" ]; then echo yes; fi',
  list: 'if [ -d "$1" ]; then ls -A -- "$1"; fi',
  read: 'if [ -e "$1" ]; then echo; cat -- "$1"; fi',
  readEnd: 'if [ -e "$1" ]; then stat -c %s -- "$1"; tail -c "$2" -- "$1"; fi',
  readEach: `cd -- "$1" 2> /dev/null || exit 0
for each in */"$2"; do
  if [ -e "$each" ]; then cat -- "$each" 2> /dev/null; fi
done
exit 0`,
  listWithout: `cd -- "$1" 2> /dev/null || exit 0
for each in *; do
  if [ -L "$each" ] || ! [ -d "$each" ]; then continue; fi
  inside=$(ls -A -- "$each" 2> /dev/null) || continue
  if ! printf '%s\\n' "$inside" | grep -qxF -e "$2"; then printf '%s\\n' "$each"; fi
done
exit 0`,
  // What a lost connection has cut off is not what was to be written.
  write: `new=$(dirname -- "$1")/.$(basename -- "$1").$$.new
trap 'rm -f -- "$new"' EXIT
cat > "$new" || exit 1
if [ "$(stat -c %s -- "$new")" != "$2" ]; then echo "not all of it has come" >&2; exit 1; fi
sync -- "$new" && mv -fT -- "$new" "$1" && sync -- "$(dirname -- "$1")"`,
  makeDirectory: 'mkdir -p -- "$1"',
  remove: 'rm -rf -- "$1"',
  move: 'mv -fT -- "$1" "$2" && sync -- "$(dirname -- "$1")" "$(dirname -- "$2")"',
  copy: 'cp --reflink=auto --sparse=auto -- "$1" "$2"',
  sync: 'find "$1" -exec sync -- {} +',
  sizeOf:
    'find "$1" -type f -printf "%b\\n" 2> /dev/null | { sum=0; while read -r each; do sum=$((sum + each)); done; echo $sum; }',
  free: 'df --output=avail -B 1 -- "$1"',
  digest: 'sha256sum < "$1"',
} as const;

/** Files of a host elsewhere. */
export function sshFiles(shell: Shell): HostFiles {
  const call = async (script: keyof typeof scripts, ...args: string[]) => shell.script(scripts[script], args);
  const tell = async (script: keyof typeof scripts, ...args: string[]) => void (await call(script, ...args));
  return {
    has: async (path) => (await call('has', path)) !== '',
    list: async (directory) => linesOf(await call('list', directory)),
    async read(path) {
      const found = await call('read', path);
      return found === '' ? null : found.slice(1);
    },
    async readEnd(path, bytes) {
      const found = await shell.script(scripts.readEnd, [path, String(bytes)], { encoding: 'latin1' });
      const at = found.indexOf('\n');
      return at < 0 ? null : { text: found.slice(at + 1), size: Number(found.slice(0, at)) };
    },
    readEach: async (directory, name) => linesOf(await call('readEach', directory, name)),
    listWithout: async (directory, name) => linesOf(await call('listWithout', directory, name)),
    async write(path, content) {
      const input = Buffer.from(content);
      await shell.script(scripts.write, [path, String(input.length)], { input });
    },
    makeDirectory: (path) => tell('makeDirectory', path),
    remove: (path) => tell('remove', path),
    move: (from, to) => tell('move', from, to),
    copy: (from, to) => tell('copy', from, to),
    sync: (directory) => tell('sync', directory),
    sizeOf: async (path) => 512 * Number(await call('sizeOf', path)),
    free: async (directory) => Number(linesOf(await call('free', directory))[1]),
    bring: (directory, to) => bring(shell, directory, to),
    digest: async (path) => (await call('digest', path)).slice(0, 64),
  };
}

function linesOf(text: string): readonly string[] {
  return text.split('\n').filter((line) => line !== '');
}
