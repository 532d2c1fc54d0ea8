import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Command } from 'commander';
import { isMap, isSeq, parseDocument } from 'yaml';
import { readShipped } from '../activities/layout/shipped.ts';
import { findCommand } from '../cli/command.ts';
import { commands, findCommands } from '../cli/commands.ts';
import { createProgram } from '../cli/program.ts';
import { parseConfig } from '../infra/config/load.ts';
import { configSchema } from '../infra/config/schema.ts';
import { parseConfigFile } from '../pipelines/language/language.ts';

const root = join(import.meta.dirname, '..');
const pages = [
  'README.md',
  ...readdirSync(join(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => join('docs', name)),
];
const texts = pages.map((path) => [path, readFileSync(join(root, path), 'utf8')] as const);
const program = await createProgram(commands);
const shipped = (await readShipped()).map((source) => parseConfigFile(source));
const jobs = new Set(shipped.flatMap(({ stanzas }) => stanzas.jobs.map(({ name }) => name)));

/** A line of a shell that calls Sluice, with where it stands. */
interface Call {
  readonly where: string;
  readonly words: readonly string[];
}

/** What is written as code: between backticks, in blocks, in lines that are set in. */
function callsIn([path, text]: readonly [string, string]): readonly Call[] {
  const fenced = [...text.matchAll(/^```\w*\n([\s\S]*?)^```/gm)].flatMap(([, block = '']) => block.split('\n'));
  const indented = text.split('\n').filter((line) => line.startsWith('    '));
  const spans = [...text.replaceAll(/^```[\s\S]*?^```/gm, '').matchAll(/`([^`\n]+)`/g)].map(([, code = '']) => code);
  return [...fenced, ...indented, ...spans].flatMap((line) => callIn(path, line));
}

function callIn(where: string, line: string): readonly Call[] {
  const [, rest] = /^\s*(?:\$ )?(?:\.\/)?sluice ([a-z].*)$/.exec(line.replace(/\s+#.*$/, '')) ?? [];
  return rest === undefined ? [] : [{ where: `${where}: ${line.trim()}`, words: rest.split(/\s+/) }];
}

const helps: readonly Call[] = commands.flatMap(({ name }) => {
  const command = findCommand(program, name) as Command;
  let help = '';
  command.configureOutput({ writeOut: (text) => (help += text) });
  command.outputHelp();
  const spans = [...help.replaceAll(/\s*\n\s*/g, ' ').matchAll(/`([^`]+)`/g)].map(([, code = '']) => code);
  return [...help.split('\n').filter((line) => line.startsWith('  $ ')), ...spans].flatMap((line) =>
    callIn(`${name} --help`, line),
  );
});

const calls = [...texts.flatMap(callsIn), ...helps];

test('W14: every command and option that documentation and help name is there', () => {
  assert.ok(calls.length > 60, `${calls.length} calls were found`);
  const wrong = calls.flatMap(({ where, words }) => {
    if (/^[A-Z]/.test(words[0] ?? '') || words[0]?.startsWith('-')) return [];
    // A command may stand beside a group of its name.
    const found = findCommands(words);
    const exact = found.filter(({ name }) => name === words.slice(0, 2).join(' '));
    const [entry, ...more] = exact.length > 0 ? exact : found;
    if (entry === undefined) return [`${where}: no such command`];
    if (more.length > 0) return words.length === 1 ? [] : [`${where}: no such command`];
    const known = (findCommand(program, entry.name) as Command).options.flatMap(({ long, short }) => [long, short]);
    const options = words.filter((word) => /^--?[a-z]/.test(word)).map((word) => word.replace(/[=,;.].*$/, ''));
    return options.filter((each) => !known.includes(each) && each !== '--help').map((each) => `${where}: no ${each}`);
  });
  assert.deepEqual(wrong, []);
});

test('W14: jobs that examples name are jobs that ship', () => {
  const named = calls.flatMap(({ where, words }) => {
    const at = words[0] === 'retrigger' ? 1 : words.indexOf('--job') + 1;
    const job = at > 0 ? words[at] : undefined;
    return job === undefined || !/^[a-z]/.test(job) ? [] : [[where, job] as const];
  });
  assert.ok(named.length > 0);
  assert.deepEqual(
    named.filter(([, job]) => !jobs.has(job)),
    [],
  );
});

const keys = Object.keys(configSchema((path) => path).shape);

test('W14: examples in YAML are what sluice.yaml or a configuration takes', () => {
  const wrong = texts.flatMap(([path, text]) =>
    [...text.matchAll(/^```yaml\n([\s\S]*?)^```/gm)].flatMap(([, block = '']) => {
      const { contents } = parseDocument(block);
      if (isMap(contents) && contents.items.some(({ key }) => keys.includes(String(key))))
        return settingsFaults(path, block);
      if (!isSeq(contents)) return [];
      const source = { project: 'docs', branch: 'main', path, text: block, trusted: true, connections: { git: 'git' } };
      return parseConfigFile(source)
        .problems.filter(({ severity }) => severity === 'error')
        .map(({ message, line }) => `${path} (${line}): ${message}`);
    }),
  );
  assert.deepEqual(wrong, []);
});

function settingsFaults(path: string, text: string): readonly string[] {
  try {
    parseConfig({ path, text, directory: '/', env: {} });
    return [];
  } catch (error) {
    return [(error as Error).message];
  }
}

/** Keys of sluice.yaml as prose names them: a section, a dot, and more. */
test('W14: keys of sluice.yaml that documentation, help and shipped files name are there', () => {
  const reference = readFileSync(join(root, 'docs/configuration.md'), 'utf8');
  const known = new Set([...reference.matchAll(/^\| `([^`]+)`/gm)].map(([, key]) => key));
  const sections = keys.filter((key) => [...known].some((each) => each?.startsWith(`${key}.`)));
  const pattern = new RegExp(`\`((?:${sections.join('|')})(?:\\.[A-Za-z-]+)+)\``, 'g');
  const named = texts.flatMap(([path, text]) =>
    [...text.matchAll(pattern)].map(([, key = '']) => [path, key] as const),
  );
  assert.ok(named.length > 0);
  const wrong = named.filter(([, key]) => ![...known].some((each) => each === key || each?.startsWith(`${key}.`)));
  assert.deepEqual(wrong, []);
  const shippedFiles = readdirSync(join(root, 'pipelines/defaults'), { withFileTypes: true });
  const files = shippedFiles
    .filter((entry) => entry.isFile())
    .map(({ name }) => readFileSync(join(root, 'pipelines/defaults', name), 'utf8'));
  const told = files.flatMap((text) => [...text.matchAll(/`sluice\.yaml`'s `([a-z-]+)/g)].map(([, key = '']) => key));
  assert.deepEqual(
    told.filter((key) => !keys.includes(key)),
    [],
  );
});
