/** Words of tools that name a reason, the telling ones first; the first line of the best kind is the reason. */
const kinds: readonly RegExp[] = [
  /:\d+(?::\d+)?: (?:fatal )?error: /,
  /undefined reference to|cannot find -l|multiple definition of|^\S*(?:cc|cc1|cc1plus|\+\+|clang): (?:fatal )?error: /,
  /^\s*(?:dpkg(?:-\w+)*|dh_\w+): error: (?!debian\/rules|.* returned exit code)/,
  /^error: (?!Bad exit status)|^\s+File not found: |^\s+Installed \(but unpackaged\)|^\s*Bad file|is needed by/,
  /^configure: error: |^CMake Error|^meson\.build:\d+:\d+: ERROR: |No package '[^']+' found/,
  /^(?:FAIL|FAILED|not ok)\b|^\S+: (?:FAIL|FAILED)$|\bAssertion .* failed|Segmentation fault/,
  // A shell or make that could not begin a program.
  /^\S*\b(?:(?:da|ba)?sh|env|make(?:\[\d+\])?): .*(?:not found|Permission denied|No such file or directory|Resource temporarily unavailable|Cannot fork)$/,
  // What it has called has told the reason above, if anything has.
  /^\s*dh(?:_\w+)?: error: /,
  /\bNo rule to make target\b|\bcommand not found\b|: not found$|Permission denied|No such file or directory/,
  /^(?:\S*make(?:\[\d+\])?|\S+:\d+): \*\*\* |^Traceback |^\w*Error: /,
  /\berror\b/i,
];

/** Lines that carry an error's words without being its reason. */
const noise =
  /checking for|-W?error=|warning: |\berrors?\.(?:[ch]|o|cpp)\b|0 errors|no errors|debian\/rules .* returned exit|Bad exit status/i;

/** Debhelper names what it called with all its arguments, and only then how that ended. */
const longCommand = /^(dh(?:_\w+)?: error: \S+) .{80,} (returned exit code \d+)$/;

/** The line of a tool's output that tells best why it failed, on one line of at most 300 characters; null when none does. */
export function firstError(output: string): string | null {
  const lines = output.split(/\r?\n/).filter((line) => !noise.test(line));
  for (const kind of kinds) {
    const at = lines.findIndex((line) => kind.test(line));
    if (at >= 0) return tidy(lines, at);
  }
  return null;
}

/** A heading such as `RPM build errors:` says nothing without the line below it. */
function tidy(lines: readonly string[], at: number): string {
  const line = lines[at]?.trim() ?? '';
  const needed = lines.slice(at + 1).map((each) => each.trim());
  const end = needed.findIndex((each) => !/ is needed by /.test(each));
  const below = end > 0 ? needed.slice(0, end).join(', ') : (needed[0] ?? '');
  const full = line.endsWith(':') ? `${line} ${below}` : line;
  return full
    .replace(longCommand, '$1 … $2')
    .replace(/\p{C}+/gu, ' ')
    .trim()
    .slice(0, 300);
}
