import assert from 'node:assert/strict';
import { open } from 'node:fs/promises';
import { Agent, createServer, get } from 'node:http';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';

/** A web server as mirrors have: it opens what a path leads to at that moment. */
export async function serve(root: string, ends: (() => unknown)[]): Promise<string> {
  const server = createServer(async (request, response) => {
    const path = join(root, decodeURIComponent(new URL(request.url ?? '/', 'http://mirror').pathname));
    const file = await open(path).catch(() => null);
    const found = await file?.stat();
    if (file === null || !found?.isFile()) {
      await file?.close();
      return response.writeHead(404).end();
    }
    response.writeHead(200, { 'content-length': found.size });
    // Who goes away in the middle is no fault of the mirror.
    await pipeline(file.createReadStream(), response).catch(() => {});
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', 1024, resolve));
  ends.push(
    () => server.closeAllConnections(),
    () => server.close(),
  );
  // Who dawdles keeps his connection.
  server.keepAliveTimeout = 120_000;
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  return `http://127.0.0.1:${address.port}`;
}

const agent = new Agent({ keepAlive: true, maxSockets: 64 });

/** The body of an answer. @throws for any status but 200, and for a body that is cut off */
export function fetchWhole(url: string): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const request = get(url, { agent }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('error', reject);
      response.on('end', () => {
        if (response.statusCode === 200) resolve(Buffer.concat(parts));
        else reject(new Error(`${response.statusCode} for ${url}`));
      });
    });
    request.on('error', reject);
  });
}
