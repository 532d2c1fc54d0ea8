import { text } from 'node:stream/consumers';
import { z } from 'zod';
import { type OutputFiles, outputFilesSchema } from '../../pipelines/model/output-files.ts';
import { html } from '../../web/html.ts';
import type { ServerDeps } from '../deps.ts';
import type { App } from '../fastify.ts';
import { listingPage } from '../files/listing.ts';
import { sendFile, typeOf } from '../files/send-file.ts';

const params = z.object({
  digest: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .describe('SHA-256 of the list of the files, in hexadecimal'),
  '*': z.string().describe('the file’s path; of a directory, with a slash at its end'),
});

/** Bytes of a list of as many files as a job may leave. */
const largestList = 8 * 1024 * 1024;

/** The files that a job's programs left, below one URL, so that pages among them find each other. */
export function registerOutputFiles(app: App, { blobs }: Pick<ServerDeps, 'blobs'>): void {
  const schema = { summary: 'A file that a job’s programs left, or a directory of them', params };
  app.get('/api/artifacts/:digest/files/*', { schema }, async (request, reply) => {
    const { digest, '*': path } = request.params;
    const list = await readList(blobs, `sha256:${digest}`);
    if (list === null) {
      return reply.code(404).send({ error: `there is no list of files sha256:${digest}: it may have been pruned` });
    }
    const isDirectory = path === '' || path.endsWith('/');
    const page = isDirectory ? `${path}index.html` : path;
    const file = list.find((one) => one.path === page);
    const content = file && (await blobs.find(file.digest));
    if (file && content) {
      const etag = file.digest.slice('sha256:'.length);
      return sendFile(request, reply, { content, type: typeOf(page), etag, immutable: true });
    }
    if (file) return reply.code(404).send({ error: `the content of ${page} is gone: it may have been pruned` });
    const names = namesIn(list, path === '' || isDirectory ? path : `${path}/`);
    if (names.length === 0) return reply.code(404).send({ error: `there is no ${path} among these files` });
    const [address = ''] = request.url.split('?');
    if (!isDirectory) return reply.redirect(`${address}/`);
    return reply.type('text/html; charset=utf-8').send(pageOf(path, names));
  });
}

async function readList(blobs: ServerDeps['blobs'], digest: string): Promise<OutputFiles['files'] | null> {
  const found = await blobs.find(digest);
  if (found === null) return null;
  if (found.size > largestList) {
    await found.close();
    return null;
  }
  const content = await text(found.read());
  try {
    return outputFilesSchema.parse(JSON.parse(content)).files;
  } catch {
    return null;
  }
}

/** What stands in a directory, directories with a slash, sorted. */
function namesIn(list: OutputFiles['files'], directory: string): readonly string[] {
  const inside = list.flatMap(({ path }) => (path.startsWith(directory) ? [path.slice(directory.length)] : []));
  return [...new Set(inside.map((path) => path.replace(/\/.*$/s, '/')))].sort();
}

function pageOf(path: string, names: readonly string[]): string {
  const back = path === '' ? html`<a href="/">Sluice</a>` : html`<a href="../">..</a>`;
  const rows = names.map((name) => ({
    name,
    href: `./${encodeURIComponent(name.replace(/\/$/, ''))}${name.endsWith('/') ? '/' : ''}`,
  }));
  return listingPage(path === '' ? 'output' : path.replace(/\/$/, ''), html`<p>${back}</p>`, rows);
}
