import type { ConnectionCheck } from '../../activities/review/port.ts';
import type { Config } from '../config/load.ts';
import { standalone } from '../stack/settings.ts';
import { createCommon } from './common.ts';
import { openNamed } from './connections.ts';

/** Asks the review system of a connection, with the rights and the secrets of this process. None for Sluice's own host. */
export async function checkConnection(config: Config, name: string): Promise<readonly ConnectionCheck[]> {
  const { check } = openNamed(createCommon(standalone(config)), name);
  try {
    return (await check?.()) ?? [];
  } catch (error) {
    return [{ name: 'login', ok: false, message: (error as Error).message }];
  }
}
