/** A program that was run. */
export interface RanCommand {
  readonly command: string;
  readonly code: number;
  readonly seconds: number;
}

export interface TestCase {
  readonly suite: string;
  readonly name: string;
  readonly seconds: number;
  /** Why it failed: one line, and all that is known. */
  readonly failure?: { readonly message: string; readonly text: string };
  /** Why it was not run. */
  readonly skipped?: string;
  /** What was run, in its order; absent where nobody kept it. */
  readonly commands?: readonly RanCommand[];
  /** What was said. */
  readonly output?: string;
}

/** Writes a JUnit document with one suite for each `suite` among the cases, in order of appearance. */
export function junitXml(cases: readonly TestCase[]): string {
  const suites = [...new Set(cases.map(({ suite }) => suite))];
  const body = suites.map((name) =>
    suiteXml(
      name,
      cases.filter((one) => one.suite === name),
    ),
  );
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites${counts(cases)}>\n${body.join('')}</testsuites>\n`;
}

function suiteXml(name: string, cases: readonly TestCase[]): string {
  return ` <testsuite name="${quoted(name)}"${counts(cases)}>\n${cases.map(caseXml).join('')} </testsuite>\n`;
}

function caseXml(one: TestCase): string {
  const { suite, name, seconds } = one;
  const head = `  <testcase classname="${quoted(suite)}" name="${quoted(name)}" time="${seconds.toFixed(3)}"`;
  const inside = `${verdictXml(one)}${outputXml(one)}`;
  return inside === '' ? `${head}/>\n` : `${head}>\n${inside}  </testcase>\n`;
}

function verdictXml({ failure, skipped }: TestCase): string {
  if (failure !== undefined) {
    return `   <failure message="${quoted(failure.message)}">${quoted(failure.text)}</failure>\n`;
  }
  return skipped === undefined ? '' : `   <skipped message="${quoted(skipped)}"/>\n`;
}

function outputXml({ commands = [], output = '' }: TestCase): string {
  const ran = commands.map((one) => `$ ${one.command}\n[${one.code}] ${one.seconds.toFixed(3)} s\n`);
  const text = `${ran.join('')}${output}`;
  return text === '' ? '' : `   <system-out>${quoted(text)}</system-out>\n`;
}

function counts(cases: readonly TestCase[]): string {
  const failed = cases.filter(({ failure }) => failure !== undefined).length;
  const skipped = cases.filter((one) => one.skipped !== undefined).length;
  const seconds = cases.reduce((sum, one) => sum + one.seconds, 0);
  return ` tests="${cases.length}" failures="${failed}" skipped="${skipped}" time="${seconds.toFixed(3)}"`;
}

/** XML 1.0 has no way to write most control characters, so they are replaced. */
function quoted(text: string): string {
  return text
    .replace(/[^\t\n\r\x20-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '\ufffd')
    .replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
