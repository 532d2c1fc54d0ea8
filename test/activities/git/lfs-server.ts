import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { TestContext } from 'node:test';

export const oidOf = (content: string) => createHash('sha256').update(content).digest('hex');
export const pointerTo = (content: string, size = content.length) =>
  `version https://git-lfs.github.com/spec/v1\noid sha256:${oidOf(content)}\nsize ${size}\n`;

/** What Gitea names among the headers. */
const header = { header: { 'Transfer-Encoding': 'chunked' } };

/** A server of LFS objects, by digest, as the API's description has it, and what it was asked. */
export async function openServer(t: TestContext, objects: Map<string, string>) {
  const asked: { url: string; authorization: string | undefined; body: unknown }[] = [];
  // `past`: so many contents are not given, as their addresses do not hold any more.
  const answer = { status: 200, elsewhere: '', refusal: '{}', past: 0 };
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const { url = '', headers } = request;
    asked.push({ url, authorization: headers.authorization, body: body === '' ? null : JSON.parse(body) });
    if (answer.status !== 200) return response.writeHead(answer.status).end(answer.refusal);
    if (!url.endsWith('/objects/batch') && answer.past > 0) {
      answer.past -= 1;
      return response.writeHead(403).end('<Error><Code>AccessDenied</Code></Error>');
    }
    if (!url.endsWith('/objects/batch')) return response.end(objects.get(url.split('/').at(-1) ?? '') ?? '');
    const wanted = (JSON.parse(body) as { objects: { oid: string; size: number }[] }).objects.map((one) =>
      objects.has(one.oid)
        ? { ...one, actions: { download: { ...header, href: `${answer.elsewhere || here}/content/${one.oid}` } } }
        : { ...one, error: { code: 404, message: 'Object does not exist' } },
    );
    return response
      .setHeader('content-type', 'application/vnd.git-lfs+json')
      .end(JSON.stringify({ transfer: 'basic', objects: wanted }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const here = `http://127.0.0.1:${(server.address() as { port: number }).port}`;
  return { url: here, asked, answer };
}
