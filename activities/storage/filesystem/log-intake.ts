import { constants } from 'node:fs';
import { mkdir, open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { exists } from '../../files/exists.ts';
import { sync, syncName } from '../../files/sync.ts';
import { headings, usualLimit } from '../log-room.ts';
import { type LogIntake, type LogName, OtherContent } from '../port.ts';
import { type LogStorageOptions, logPath } from './log-store.ts';
import { partial } from './read-logs.ts';

/** Attempts that may go on with one log, each with the whole of its limit. */
const attempts = 10;

/** Logs that come in parts from workers elsewhere, where `createFileLogStore` keeps its own. */
export function createFileLogIntake(options: Omit<LogStorageOptions, 'baseUrl'>): LogIntake {
  const most = ((options.limit ?? usualLimit) + headings) * attempts;
  const pathOf = ({ build, name }: LogName) => logPath(options.root, build, name);
  return {
    async begin(of) {
      const path = pathOf(of);
      await mkdir(dirname(path), { recursive: true });
      if (await exists(path)) await rename(path, path + partial);
      const file = await open(path + partial, 'a');
      try {
        return (await file.stat()).size;
      } finally {
        await file.close();
      }
    },
    async write(of, { position, bytes }) {
      const file = await open(pathOf(of) + partial, constants.O_WRONLY).catch((error: NodeJS.ErrnoException) => {
        throw error.code === 'ENOENT' ? new OtherContent(`the log ${of.name} was not begun`) : error;
      });
      try {
        const { size } = await file.stat();
        if (position > size) throw new OtherContent(`the log ${of.name} has ${size} bytes, not ${position}`);
        if (position + bytes.length > most) throw new OtherContent(`a log may have ${most} bytes`);
        await file.write(bytes, 0, bytes.length, position);
      } finally {
        await file.close();
      }
    },
    async end(of) {
      const path = pathOf(of);
      if ((await exists(path)) && !(await exists(path + partial))) return;
      await sync(path + partial);
      await rename(path + partial, path);
      await syncName(path);
    },
  };
}
