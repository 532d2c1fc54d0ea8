/** A Debian version, `[EPOCH:]UPSTREAM[-REVISION]`; `revision` is empty for a native package. */
export interface Version {
  readonly epoch: number;
  readonly upstream: string;
  readonly revision: string;
}

const highestEpoch = 2_147_483_647;

/** Takes a version apart; null for what `dpkg --validate-version` refuses. Blanks and tabs around it are no part of it. */
export function parseVersion(text: string): Version | null {
  const version = read(text);
  return typeof version === 'string' ? null : version;
}

/** Why `dpkg --validate-version` refuses the text; null when it accepts it. */
export function explainVersion(text: string): string | null {
  const version = read(text);
  return typeof version === 'string' ? version : null;
}

/**
 * Orders two versions as `dpkg --compare-versions` does (Debian policy, section 5.6.12).
 *
 * @throws RangeError for a version that dpkg refuses.
 */
export function compareVersions(a: string, b: string): -1 | 0 | 1 {
  const [left, right] = [must(a), must(b)];
  if (left.epoch !== right.epoch) return left.epoch < right.epoch ? -1 : 1;
  return compareParts(left.upstream, right.upstream) || compareParts(left.revision, right.revision);
}

function must(text: string): Version {
  const version = read(text);
  if (typeof version === 'string') throw new RangeError(`${JSON.stringify(text)}: ${version}`);
  return version;
}

/** The version, or what is wrong with it. */
function read(text: string): Version | string {
  const trimmed = /^[ \t]*([^ \t]*)[ \t]*$/.exec(text)?.[1];
  if (trimmed === undefined) return 'the version has white space inside';
  if (trimmed === '') return 'the version is empty';
  const colon = trimmed.indexOf(':');
  const epoch = colon < 0 ? 0 : readEpoch(trimmed.slice(0, colon));
  if (typeof epoch === 'string') return epoch;
  const rest = trimmed.slice(colon + 1);
  const hyphen = rest.lastIndexOf('-');
  const upstream = hyphen < 0 ? rest : rest.slice(0, hyphen);
  const revision = hyphen < 0 ? '' : rest.slice(hyphen + 1);
  if (upstream === '') return 'the upstream version is empty';
  if (hyphen >= 0 && revision === '') return 'the revision is empty';
  if (!/^[0-9]/.test(upstream)) return 'the upstream version does not start with a digit';
  if (!/^[A-Za-z0-9.+~:-]*$/.test(upstream)) return 'the upstream version has a character that is not allowed';
  if (!/^[A-Za-z0-9.+~]*$/.test(revision)) return 'the revision has a character that is not allowed';
  return { epoch, upstream, revision };
}

function readEpoch(text: string): number | string {
  // dpkg reads the epoch with strtol, which takes a sign, and any white space before it.
  if (!/^[\n-\r]*[+-]?[0-9]+$/.test(text)) return 'the epoch is not a number';
  const epoch = Number(text);
  if (epoch < 0) return 'the epoch is negative';
  return epoch > highestEpoch ? 'the epoch is too big' : Math.abs(epoch);
}

/** Compares texts without digits and numbers in turn, from the left. */
function compareParts(a: string, b: string): -1 | 0 | 1 {
  const left = a.match(/[^0-9]+|[0-9]+/g) ?? [];
  const right = b.match(/[^0-9]+|[0-9]+/g) ?? [];
  let [i, j] = [0, 0];
  while (i < left.length || j < right.length) {
    const letters = compareLetters(
      isNumber(left[i]) ? '' : (left[i++] ?? ''),
      isNumber(right[j]) ? '' : (right[j++] ?? ''),
    );
    if (letters !== 0) return letters;
    const numbers = compareNumbers(
      isNumber(left[i]) ? (left[i++] ?? '') : '',
      isNumber(right[j]) ? (right[j++] ?? '') : '',
    );
    if (numbers !== 0) return numbers;
  }
  return 0;
}

function isNumber(part: string | undefined): boolean {
  return part !== undefined && /^[0-9]/.test(part);
}

function compareLetters(a: string, b: string): -1 | 0 | 1 {
  const length = Math.max(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const difference = rank(a[i]) - rank(b[i]);
    if (difference !== 0) return difference < 0 ? -1 : 1;
  }
  return 0;
}

/** A tilde sorts before the end, the end before letters, letters before everything else. */
function rank(character: string | undefined): number {
  if (character === undefined) return 0;
  if (character === '~') return -1;
  return /[A-Za-z]/.test(character) ? character.charCodeAt(0) : character.charCodeAt(0) + 256;
}

/** Compares decimal numbers of any length; an empty text is zero. */
function compareNumbers(a: string, b: string): -1 | 0 | 1 {
  const [left, right] = [a.replace(/^0+/, ''), b.replace(/^0+/, '')];
  if (left.length !== right.length) return left.length < right.length ? -1 : 1;
  return left === right ? 0 : left < right ? -1 : 1;
}
