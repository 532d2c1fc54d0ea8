import { asRoot, runInTerminal } from '../../activities/process/in-terminal.ts';
import { findProgram } from './find.ts';
import { aptGet, type Finding, type Step } from './step.ts';
import { type Tool, tools } from './tools.ts';

/** The external programs of `tools.ts`, from the machine's own package manager. */
export function debianPackages(): Step {
  return {
    name: 'Debian packages',
    why: 'the tools that build, check, sign and copy packages',
    check: async () => tools.filter(({ program }) => findProgram(program) === undefined).map(finding),
    async act(findings, report) {
      await runInTerminal([...aptGet(), 'update', '-q'], report);
      await runInTerminal(
        [...aptGet(), 'install', '-q', '-y', '--no-install-recommends', ...packagesOf(findings)],
        report,
      );
    },
  };
}

function finding({ program, package: name, part }: Tool): Finding {
  const apt = findProgram('apt-get') !== undefined;
  const mend = apt ? `${[...asRoot(), 'apt-get install'].join(' ')} ${name}` : `install the program ${program}`;
  return { missing: name, part, mend };
}

function packagesOf(findings: readonly Finding[]): string[] {
  return [...new Set(findings.map(({ missing }) => missing))];
}
