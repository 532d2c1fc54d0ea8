import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { Command } from 'commander';
import { systemReason } from '../activities/files/system-reason.ts';
import { keepFirst } from '../activities/files/write.ts';
import { addCommand, configOption, jsonOption } from './command.ts';
import { failed, misused } from './fault.ts';
import { print } from './output.ts';

const template = `# Configuration of Sluice. Every key has a default: docs/configuration.md lists them all.

# Everything that Sluice keeps: repositories, packages, logs, and what is going on.
data: ./data

server:
  # Address of the page and the API.
  listen: 127.0.0.1:8080

# Repositories under the gate: \`sluice project add NAME URL\` adds them here.
# projects:
#   tinycdb:
#     # Projects of one queue are tested together.
#     queue: core
#     templates: [deb-package, rpm-package]
projects: {}

release:
  # \`Origin\` of the released APT repository.
  origin: Sluice
  deb:
    codename: bookworm

# Where the released repositories go.
# mirrors:
#   deb:
#     source: ./data/released/deb
#     heads: [stable]
#     init: true
#     hosts:
#       m1: {url: /srv/mirror1}
#       m2: {url: "rsync://mirror.example.org/deb"}
`;

/** Adds `init`. */
export function register(program: Command): void {
  addCommand(program, 'init', {
    examples: ['sluice init', 'sluice init --config /etc/sluice/sluice.yaml'],
    details: 'A file that is there already is left alone.',
  })
    .addOption(configOption())
    .addOption(jsonOption())
    .action(async (options: { readonly config?: string; readonly json?: boolean }) => {
      const file = resolve(options.config ?? 'sluice.yaml');
      if (existsSync(file) || (await place(file)) !== template)
        throw failed(`${file} is there already: edit it, or remove it first`);
      print({ file }, () => `${file} is written. Next: sluice project add NAME URL, then sluice up.`, options);
    });
}

/** Where no file can be: the command line names the wrong place. */
const misplaced = new Set(['ENOENT', 'ENOTDIR', 'EISDIR', 'EACCES', 'EROFS']);

/** @returns what the file holds now @throws CommandError with status 2 where none can be */
function place(file: string): Promise<string> {
  return keepFirst(file, template, { mode: 0o644 }).catch((error: NodeJS.ErrnoException) => {
    if (!misplaced.has(error.code ?? '')) throw error;
    throw misused(
      `--config: ${file} cannot be written: ${systemReason(error)}; ${dirname(file)} must be a directory of yours`,
    );
  });
}
