import type { ExecResult } from '../port.ts';

/** The most telling lines of apt, dpkg, dnf, dnf5 and rpm, the best first. */
const reasons: readonly RegExp[] = [
  /^\s*(- )?nothing provides /,
  /Depends: .* but /,
  /\bpackage \S+ requires .*, but none of the providers can be installed$/,
  /trying to overwrite/,
  /conflicts (with|between)/,
  /returned error exit status/,
  /^missing groups or modules: /,
  /^All matches were filtered out by modular filtering /,
  /^E: /,
  /^Error: /,
  /^error: /,
  /^>>> .* scriptlet failed/,
  /^No match for argument: /,
];

/** Why a package manager failed, in one line. */
export function problemOf({ output, code }: ExecResult): string {
  const said = output.split('\n').filter((line) => line.trim() !== '');
  for (const reason of reasons) {
    const line = said.find((one) => reason.test(one));
    if (line !== undefined) return line.trim().replace(/^(?:- |>>> (?:\[RPM\] )?|Problem(?: \d+)?: )/, '');
  }
  return said.at(-1)?.trim() ?? `ended with ${code}`;
}
