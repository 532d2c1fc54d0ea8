import { HostAway } from './outcome.ts';

/** A host's answer as text. @param size bytes that it may have @throws HostAway for more */
export async function readBody(response: Response, size: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let left = size;
  for await (const chunk of response.body ?? []) {
    left -= chunk.length;
    if (left < 0) throw new HostAway(`${hostOf(response.url)} answers with more than ${size} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** Without a path, a query or what may stand before the host: secrets are hidden there. */
export function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : 'the host';
}
