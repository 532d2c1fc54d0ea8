import { searchAttributes } from '../../workflows/search-attributes.ts';

export interface DevServerOptions {
  /** SQLite file; absent: everything is lost when the server ends. */
  readonly database?: string;
  readonly host?: string;
  readonly port: number;
  /** Absent: no Web UI. */
  readonly uiPort?: number;
  /**
   * `fast` loses nothing when a process is killed; a power cut may lose the last moments, never consistency. `full`
   * waits for the disk at each step and halves the throughput.
   */
  readonly durability?: 'fast' | 'full';
}

/** Queue readers look 20 times a second by default, which costs 50 ms for each step of a workflow. */
const pollers = ['transfer', 'timer', 'visibility', 'outbound'].map(
  (name) => `history.${name}ProcessorMaxPollRPS=2000`,
);

/** A task queue keeps to the priorities of its tasks within a partition. */
const partitions = ['Read', 'Write'].map((way) => `matching.numTaskqueue${way}Partitions=1`);

/** The command line of the embedded server, after the program's name. */
export function devServerArguments(options: DevServerOptions): string[] {
  const host = options.host ?? '127.0.0.1';
  return [
    ...[
      'server',
      'start-dev',
      '--ip',
      host,
      '--port',
      String(options.port),
      '--log-level',
      'error',
      '--log-format',
      'json',
    ],
    ...(options.uiPort === undefined ? ['--headless'] : ['--ui-ip', host, '--ui-port', String(options.uiPort)]),
    ...(options.database === undefined ? [] : databaseArguments(options.database, options.durability ?? 'fast')),
    ...[...pollers, ...partitions].flatMap((setting) => ['--dynamic-config-value', setting]),
    ...Object.values(searchAttributes).flatMap(({ name }) => ['--search-attribute', `${name}=Keyword`]),
  ];
}

function databaseArguments(file: string, durability: 'fast' | 'full'): string[] {
  const synchronous = durability === 'fast' ? 'NORMAL' : 'FULL';
  return [
    '--db-filename',
    file,
    '--sqlite-pragma',
    'journal_mode=WAL',
    '--sqlite-pragma',
    `synchronous=${synchronous}`,
  ];
}
