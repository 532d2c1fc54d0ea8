/** An RPM version, `[EPOCH:]VERSION[-RELEASE]`; `release` is null when none is given. */
export interface Version {
  readonly epoch: string;
  readonly version: string;
  readonly release: string | null;
}

/** Takes a version apart; null for what rpm cannot parse. */
export function parseVersion(text: string): Version | null {
  if (text === '') return null;
  const digits = /^[0-9]*/.exec(text)?.[0] ?? '';
  const hasEpoch = text[digits.length] === ':';
  const rest = hasEpoch ? text.slice(digits.length + 1) : text;
  const hyphen = rest.lastIndexOf('-');
  return {
    epoch: (hasEpoch && digits) || '0',
    version: hyphen < 0 ? rest : rest.slice(0, hyphen),
    release: hyphen < 0 ? null : rest.slice(hyphen + 1),
  };
}

/** Why rpm cannot parse the text; null when it can. */
export function explainVersion(text: string): string | null {
  return parseVersion(text) === null ? 'the version is empty' : null;
}

/**
 * Orders two versions as rpm 4.18 does (`rpm.vercmp` of its Lua interface, on the whole version).
 *
 * @throws RangeError for a version that rpm cannot parse.
 */
export function compareVersions(a: string, b: string): -1 | 0 | 1 {
  const [left, right] = [must(a), must(b)];
  return (
    compareParts(left.epoch, right.epoch) ||
    compareParts(left.version, right.version) ||
    compareReleases(left.release, right.release)
  );
}

function must(text: string): Version {
  const version = parseVersion(text);
  if (version === null) throw new RangeError(`${JSON.stringify(text)}: ${explainVersion(text)}`);
  return version;
}

function compareReleases(a: string | null, b: string | null): -1 | 0 | 1 {
  if (a === null || b === null) return a === b ? 0 : a === null ? -1 : 1;
  return compareParts(a, b);
}

/** Compares runs of letters and of digits, `~` and `^` from the left; everything else only separates them. */
function compareParts(a: string, b: string): -1 | 0 | 1 {
  const left = tokens(a);
  const right = tokens(b);
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const order = compareTokens(left[i], right[i]);
    if (order !== 0) return order;
  }
  return 0;
}

function tokens(text: string): readonly string[] {
  return text.match(/[A-Za-z]+|[0-9]+|[~^]/g) ?? [];
}

/** `~` sorts before the end, `^` after it and before all else; a number is newer than letters. */
function compareTokens(a: string | undefined, b: string | undefined): -1 | 0 | 1 {
  const difference = rank(a) - rank(b);
  if (difference !== 0) return difference < 0 ? -1 : 1;
  if (a === undefined || b === undefined) return 0;
  const [left, right] = [a.replace(/^0+(?=[0-9]*$)/, ''), b.replace(/^0+(?=[0-9]*$)/, '')];
  if (isNumber(a) && left.length !== right.length) return left.length < right.length ? -1 : 1;
  return left === right ? 0 : left < right ? -1 : 1;
}

function rank(token: string | undefined): number {
  if (token === '~') return 0;
  if (token === undefined) return 1;
  if (token === '^') return 2;
  return isNumber(token) ? 4 : 3;
}

function isNumber(token: string): boolean {
  return /^[0-9]/.test(token);
}
