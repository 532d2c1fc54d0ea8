import { parseLintian, unreadByLintian } from '../../pipelines/formats/deb/lintian.ts';
import { parseRpmlint, unreadByRpmlint } from '../../pipelines/formats/rpm/rpmlint.ts';
import type { PackageFormat } from '../../pipelines/model/artifact.ts';
import type { LintRemark } from '../../pipelines/model/lint.ts';

/** How a format's checker is run and read. */
export interface Checker {
  /** Which of a build's files are checked. */
  readonly checks: (name: string) => boolean;
  /** The command line; `files` are names in the current directory, `settings` is where `configuration` was put. */
  readonly argv: (files: readonly string[], settings: string) => readonly string[];
  /** Who runs it, in a container without network that is thrown away. */
  readonly user: 'nobody' | 'root';
  /** Content of the checker's configuration file. */
  readonly configuration: string;
  readonly parse: (output: string) => readonly LintRemark[];
  /** The files that it was handed and could not read, by name. */
  readonly unread: (output: string) => readonly LintRemark[];
  /** Whether the checker ran to its end and looked at every file that it can read. */
  readonly finished: (code: number, output: string) => boolean;
}

/** Tags about the changelog's newest entry, which comes from Git: its author's address is the commit's. */
const fromGit = ['bogus-mail-host', 'bogus-mail-host-in-debian-changelog', 'mail-address-loops-or-bounces'];

/**
 * Packages are signed when they are released; who packages is the repository's affair; and RPM itself has long done
 * without `Group:`, for which this rpmlint still has an error.
 */
const notAsked = 'Filters = ["no-signature", "no-packager-tag", "no-group-tag"]\n';

export const checkers: Readonly<Record<PackageFormat, Checker>> = {
  deb: {
    checks: (name) => /\.(?:u?deb|dsc)$/.test(name) && !/-dbgsym_/.test(name),
    argv: (files) => [
      ...['lintian', '--no-cfg', '--allow-root', '--show-overrides', '--tag-display-limit', '0'],
      ...['--color', 'never', '--suppress-tags', fromGit.join(','), ...files.map((file) => `./${file}`)],
    ],
    // As anybody else it cannot remove some sources that it has unpacked, and fails after its last remark.
    user: 'root',
    configuration: '',
    parse: parseLintian,
    unread: unreadByLintian,
    // 1 is also what it says when there is no file that it can read.
    finished: (code, output) => code === 0 || code === 2 || unreadByLintian(output).length > 0,
  },
  rpm: {
    checks: (name) => name.endsWith('.rpm') && !/-debug(?:info|source)-/.test(name),
    argv: (files, settings) => [
      ...['rpmlint', '--config', settings, '--ignore-unused-rpmlintrc'],
      ...files.filter((file) => file.endsWith('.rpmlintrc')).flatMap((file) => ['--rpmlintrc', `./${file}`]),
      ...files.filter((file) => file.endsWith('.rpm')).map((file) => `./${file}`),
    ],
    user: 'nobody',
    configuration: notAsked,
    parse: parseRpmlint,
    unread: unreadByRpmlint,
    // It says so at the end; a file that it cannot read ends it at once.
    finished: (_code, output) => /\d+ packages and \d+ specfiles checked/.test(output),
  },
};
