import { parseControl } from './control.ts';

/** A test that a source has for its packages, as `debian/tests/control` has it. */
export interface SourceTest {
  readonly name: string;
  /** Where the source has it; absent for a command. */
  readonly path?: string;
  /** What is run instead of a file. */
  readonly command?: string;
  readonly restrictions: readonly string[];
  /** Whether it wants all packages of its source. */
  readonly whole: boolean;
  /** Whether it wants what is needed to build its source. */
  readonly builds: boolean;
  /** Further packages that it wants, the first of alternatives each. */
  readonly packages: readonly string[];
  /** Architectures that it is for, as dpkg writes them, with `!` before those that it is not for; empty: all. */
  readonly architectures: readonly string[];
}

/** What the machine that tests run on can do. */
export interface TestMachine {
  /** Whether it has a kernel of its own. */
  readonly whole: boolean;
  /** As dpkg has it; absent where nobody knows. */
  readonly architecture?: string | undefined;
  /** Whether it can be started anew while a test runs. */
  readonly restarts: boolean;
}

/**
 * The tests of a source in the order of its control file (autopkgtest, README.package-tests). One that only says whose changes
 * trigger it is none.
 *
 * @param control text of `debian/tests/control`
 */
export function sourceTests(control: string): readonly SourceTest[] {
  return parseControl(control.replace(/^#.*\n/gm, ''))
    .flatMap(testsOf)
    .filter(({ restrictions }) => !restrictions.includes('hint-testsuite-triggers'));
}

function testsOf(paragraph: Readonly<Record<string, string>>): readonly SourceTest[] {
  const depends = (paragraph.Depends ?? '@').split(',').map((one) => one.trim().split(/[\s(|[<:]/)[0] ?? '');
  const features = words(paragraph.Features);
  const about = {
    restrictions: [...words(paragraph.Restrictions), ...features.filter((one) => !one.includes('='))],
    whole: depends.includes('@'),
    builds: depends.includes('@builddeps@'),
    packages: depends.filter((one) => /^[a-z0-9][a-z0-9+.-]+$/.test(one)),
    architectures: words(paragraph.Architecture).filter((one) => one !== 'any'),
  };
  const command = paragraph['Test-Command'];
  if (command !== undefined) {
    const given = features.find((one) => one.startsWith('test-name='))?.slice('test-name='.length);
    return [{ name: given ?? `command ${command.trim().slice(0, 60)}`, command, ...about }];
  }
  const directory = paragraph['Tests-Directory']?.trim() ?? 'debian/tests';
  const names = words(paragraph.Tests).filter((one) => /^[A-Za-z0-9][A-Za-z0-9._+-]*$/.test(one));
  return names.map((name) => ({ name, path: `${directory}/${name}`, ...about }));
}

function words(text = ''): readonly string[] {
  return text.split(/[\s,]+/).filter((one) => one !== '');
}

/** What can be had, or is of no concern here: what a test breaks is thrown away, and all run as root. */
const known = new Set(
  words(
    `rw-build-tree breaks-testbed needs-root isolation-container allow-stderr skippable flaky superficial needs-reboot
    isolation-machine needs-recommends skip-not-installable skip-foreign-architecture`,
  ),
);

/** What no machine here has, and why. */
const lacking: Readonly<Record<string, string>> = {
  'build-needed': 'wants a built source tree (build-needed)',
  'needs-internet': 'wants the internet (needs-internet)',
  'needs-sudo': 'wants a user who may sudo (needs-sudo)',
};

/** Why a test cannot be run on a machine, in one line; null where it can. */
export function whyNotRun(test: SourceTest, { whole, architecture, restarts }: TestMachine): string | null {
  if (architecture !== undefined && !isFor(test.architectures, architecture)) return `is not for ${architecture}`;
  if (test.builds) return 'wants what its source is built with (@builddeps@)';
  for (const one of test.restrictions) {
    const why = lacking[one];
    if (why !== undefined) return why;
    if (one === 'isolation-machine' && !whole) return 'wants a machine of its own (isolation-machine), not a container';
    if (one === 'needs-reboot' && !restarts) return 'wants its machine to start anew (needs-reboot)';
    if (!known.has(one)) return `has the restriction ${one}, which is not known`;
  }
  return null;
}

function isFor(architectures: readonly string[], architecture: string): boolean {
  const not = architectures.filter((one) => one.startsWith('!')).map((one) => one.slice(1));
  if (not.includes(architecture)) return false;
  const only = architectures.filter((one) => !one.startsWith('!'));
  return (
    only.length === 0 ||
    only.some((one) => one === architecture || one === 'linux-any' || one === `any-${architecture}`)
  );
}
