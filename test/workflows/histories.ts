import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import proto from '@temporalio/proto';

const { History } = proto.temporal.api.history.v1;
type History = proto.temporal.api.history.v1.IHistory;

const root = fileURLToPath(new URL('histories', import.meta.url));

/** What tells of the machine: traces with its paths, and `PROCESS@HOST` in names of workers and queues. */
const traces = /"stackTrace":"(?:[^"\\]|\\.)*"/g;
const workers = /"\d+@[^"]*"/g;

/** Keeps a history as JSON, without what tells of the machine. */
export async function writeHistory(file: string, history: History): Promise<void> {
  const plain = History.toObject(History.fromObject(history), { longs: String, bytes: String, enums: String });
  const text = JSON.stringify(plain).replace(traces, '"stackTrace":""').replace(workers, '"worker"');
  await writeFile(file, `${text}\n`);
}

export interface RecordedHistory {
  /** Folder and file, without its ending. */
  readonly name: string;
  readonly workflowId: string;
  readonly history: History;
}

/** All histories that were kept, oldest folder first. */
export async function readHistories(): Promise<readonly RecordedHistory[]> {
  const files = (await readdir(root, { recursive: true })).filter((each) => each.endsWith('.json')).sort();
  return Promise.all(
    files.map(async (file) => {
      const history = History.fromObject(JSON.parse(await readFile(join(root, file), 'utf8')));
      const workflowId = history.events?.[0]?.workflowExecutionStartedEventAttributes?.workflowId ?? '';
      return { name: file.replace(/\.json$/, ''), workflowId, history };
    }),
  );
}
