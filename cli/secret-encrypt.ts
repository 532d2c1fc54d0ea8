import { readFile, writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { systemReason } from '../activities/files/system-reason.ts';
import { encryptText } from '../activities/secrets/oaep.ts';
import { addClientOptions, type ClientOptions, createClient } from './client.ts';
import { addCommand } from './command.ts';
import { readConfiguration } from './configuration.ts';
import { misused } from './fault.ts';
import { log, print } from './output.ts';

interface Options extends ClientOptions {
  readonly project: string;
  readonly tenant?: string;
  readonly infile?: string;
  readonly outfile?: string;
  readonly secretName?: string;
  readonly fieldName?: string;
  readonly strip: boolean;
}

interface Stanza {
  readonly name: string;
  readonly field: string;
  /** Base64, each what the key can hold at once. */
  readonly chunks: readonly string[];
}

/** Characters of base64 in a line. */
const width = 72;

/** Adds `secret encrypt`. */
export function register(program: Command): void {
  addClientOptions(
    addCommand(program, 'secret encrypt', {
      examples: [
        'sluice secret encrypt --project tinycdb --infile upload.key --secret-name upload --field-name key',
        'pass show upload | sluice secret encrypt --project tinycdb --secret-name upload --field-name password',
      ],
      details:
        'Encrypts text with the key of a project and prints the `secret` object for its configuration: only jobs of that ' +
        'project can use it. Of standard input, line breaks at the end are left out; a file is taken byte by byte.',
    }),
  )
    .requiredOption('--project <name>', 'project whose configuration the secret is for')
    .option('--tenant <name>', 'tenant of the project (default: the configured one)')
    .option('--infile <file>', 'read the text from a file (default: standard input)')
    .option('--outfile <file>', 'write to a file (default: standard output)')
    .option('--secret-name <name>', 'name of the secret')
    .option('--field-name <name>', 'key of the text in the secret’s data')
    .option('--no-strip', 'keep line breaks at the end of standard input')
    .action(encrypt);
}

async function encrypt(options: Options): Promise<void> {
  const plain = await readPlain(options);
  if (plain.length === 0) throw misused(`there is nothing to encrypt: ${options.infile ?? 'standard input'} is empty`);
  const { secretName: name = '<name>', fieldName: field = '<fieldname>' } = options;
  const stanza = { name, field, chunks: encryptFor(await readKey(options), plain) };
  if (options.outfile === undefined) return print(stanza, render, options);
  const text = options.json ? `${JSON.stringify(stanza, null, 2)}\n` : render(stanza);
  await writeFile(options.outfile, text).catch((error: NodeJS.ErrnoException) => {
    throw misused(`--outfile: ${options.outfile} cannot be written: ${systemReason(error)}`);
  });
  log(`written to ${options.outfile}`);
}

async function readPlain({ infile, strip }: Options): Promise<Uint8Array> {
  if (infile !== undefined) {
    return readFile(infile).catch((error: NodeJS.ErrnoException) => {
      throw misused(`--infile: ${infile} cannot be read: ${systemReason(error)}`);
    });
  }
  if (process.stdin.isTTY) log('Type the secret, then Ctrl-D.');
  const parts: Buffer[] = [];
  for await (const part of process.stdin) parts.push(part);
  const all = Buffer.concat(parts);
  if (!strip) return all;
  let end = all.length;
  while (all[end - 1] === 0x0a || all[end - 1] === 0x0d) end--;
  return all.subarray(0, end);
}

async function readKey(options: Options): Promise<string> {
  const tenant = options.tenant ?? readConfiguration({ file: options.config }).tenant;
  const project = options.project.split('/').map(encodeURIComponent).join('/');
  const parts: string[] = [];
  const client = createClient(options);
  for await (const part of client.stream(`/api/tenant/${encodeURIComponent(tenant)}/key/${project}.pub`)) {
    parts.push(part);
  }
  return parts.join('');
}

function encryptFor(key: string, plain: Uint8Array): readonly string[] {
  try {
    return encryptText(key, plain);
  } catch (error) {
    throw error instanceof RangeError ? misused(error.message) : error;
  }
}

function render({ name, field, chunks }: Stanza): string {
  const list = chunks.map((chunk) => {
    const lines = chunk.match(new RegExp(`.{1,${width}}`, 'g')) ?? [];
    return `        - ${lines.join('\n          ')}\n`;
  });
  const head = `- secret:\n    name: ${scalar(name)}\n    data:\n      ${scalar(field)}: !encrypted/pkcs1-oaep\n`;
  return head + list.join('');
}

/** As it is where it cannot be taken for anything else; JSON is YAML. */
function scalar(text: string): string {
  return /^[A-Za-z_<][\w<>.-]*$/.test(text) && !/^(y|n|yes|no|on|off|true|false|null)$/i.test(text)
    ? text
    : JSON.stringify(text);
}
