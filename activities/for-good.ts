import { ApplicationFailure } from '@temporalio/common';
import { refusal } from './failure.ts';
import { RepositoryRefusal } from './repository/port.ts';
import { KeyAway } from './sign/signing-key/port.ts';
import { DamagedManifest } from './storage/manifest.ts';
import { NoSuchBlob } from './storage/no-such-blob.ts';

type Work = (...args: never[]) => Promise<unknown>;

/**
 * Activities that end what asked for them, with the reason, where no other try helps: Temporal would try for ever. All
 * else that they throw stays as it is.
 *
 * @param say makes of a reason what people are told
 */
export function endingForGood<T extends object>(activities: T, say = (reason: string) => reason): T {
  const ending = Object.entries(activities as Record<string, Work>).map(([name, work]) => {
    const run: Work = async (...args) => {
      try {
        return await work(...args);
      } catch (error) {
        const reason = reasonForGood(error);
        throw reason === null ? error : refusal(say(reason));
      }
    };
    return [name, run] as const;
  });
  return Object.fromEntries(ending) as T;
}

/** Why no other try helps, and what does; null where one may. */
function reasonForGood(error: unknown): string | null {
  if (error instanceof ApplicationFailure || error instanceof KeyAway || !(error instanceof Error)) return null;
  if (error instanceof RepositoryRefusal) return error.message;
  const isContent = error instanceof NoSuchBlob || error instanceof DamagedManifest;
  return isContent ? `${error.message}: ${instead}` : null;
}

const instead =
  'bring it back from a backup of DATA/storage, or build the change again (`sluice enqueue`), and release that';
