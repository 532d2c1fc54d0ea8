/** What the install stage says of a package, as a shell script that succeeds where it holds without Sluice as well. */
export interface Claim {
  readonly package: string;
  /** When it is to be asked: with the package on the system, or after its removal. */
  readonly when: 'installed' | 'removed';
  /** `$1` is `path`, `$2` the package. */
  readonly script: string;
  readonly path: string;
}

type Kind = readonly [pattern: RegExp, when: Claim['when'], script: string];

const start = '"$1" --version </dev/null >/dev/null 2>&1; code=$?';
const kinds: readonly Kind[] = [
  [/: remove: leaves (\/.*?)(?: and \d+ more)? behind$/, 'removed', '[ -e "$1" ] || [ -L "$1" ]'],
  [/: integrity: (\/.*) is a link to .*, which is not there$/, 'installed', '[ -L "$1" ] && [ ! -e "$1" ]'],
  [/: integrity: (\/.*) is missing$/, 'installed', '[ ! -e "$1" ]'],
  [/: integrity: differs from the package: .* (\/.*)$/, 'installed', 'dpkg --verify "$2" | grep -qF " $1"'],
  [/: exercise: (\/\S+) cannot be started: /, 'installed', `${start}; [ $code = 126 ] || [ $code = 127 ]`],
  [/: exercise: (\/\S+) was killed by signal /, 'installed', `${start}; [ $code -gt 128 ]`],
];

/** @param line `PACKAGE: STEP: why` @returns null for what can be asked in no such way. */
export function claimOf(line: string): Claim | null {
  for (const [pattern, when, script] of kinds) {
    const path = pattern.exec(line)?.[1];
    if (path !== undefined) return { package: line.slice(0, line.indexOf(': ')), when, script, path };
  }
  return null;
}
