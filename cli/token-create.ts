import { type Command, InvalidArgumentError, Option } from 'commander';
import { writtenSeconds } from '../pipelines/model/duration.ts';
import { type TestRole, testRoles } from '../pipelines/test-service/roles.ts';
import { addCommand, configOption, jsonOption } from './command.ts';
import { readConfiguration } from './configuration.ts';
import { failed, misused } from './fault.ts';
import { print } from './output.ts';

interface Options {
  readonly config?: string;
  readonly json?: boolean;
  readonly email: string;
  readonly role: TestRole;
  readonly ttl: number;
}

/** Adds `token create`. */
export function register(program: Command): void {
  addCommand(program, 'token create', {
    examples: [
      'sluice token create --email ann@example.org',
      'sluice token create --email build@example.org --ttl 365d > token',
      'sluice token create --email wall@example.org --role observer',
    ],
    details:
      'For whoever runs Sluice: it is signed with `tests.secret` of `sluice.yaml`, and good for the routes of the test ' +
      'service alone: a `tester` asks for tests and cancels them, an `observer` reads results. Another secret there ends all ' +
      'of them.',
  })
    .requiredOption('--email <address>', 'whose it is: shown with the tasks that come with it', parseEmail)
    .addOption(new Option('--role <role>', 'what it lets its holder do').choices(testRoles).default('tester'))
    .option('--ttl <time>', 'how long it is good for: seconds, or 90m, 4h, 30d', parseTime, 30 * 86_400)
    .addOption(configOption())
    .addOption(jsonOption())
    .action(createToken);
}

function parseEmail(text: string): string {
  if (/^[^\s@\p{Cc}]+@[^\s@\p{Cc}]+$/u.test(text) && text.length <= 254) return text;
  throw new InvalidArgumentError('Give an address such as ann@example.org.');
}

function parseTime(text: string): number {
  const seconds = text.trim() === '' ? Number.NaN : Number(writtenSeconds(text));
  if (Number.isInteger(seconds) && seconds >= 60 && seconds <= 10 * 365 * 86_400) return seconds;
  throw new InvalidArgumentError('Give a minute to ten years: seconds, or a time such as 90m, 4h or 30d.');
}

async function createToken({ email, role, ttl, ...options }: Options): Promise<void> {
  const { tests } = readConfiguration({ file: options.config });
  if (tests === undefined) throw misused('there is no test service: tests.secret is not in sluice.yaml');
  const { createTestToken } = await import('../infra/compose/test-secret.ts');
  const made = await createTestToken(tests, { email, role, seconds: ttl }).catch((error: Error) => {
    throw failed(`no token for ${email}: ${error.message}`);
  });
  print({ email, role, ...made }, ({ token }) => token, options);
}
