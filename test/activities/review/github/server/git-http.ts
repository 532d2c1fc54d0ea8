import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { closePull } from './pull-routes.ts';
import { git, type RepositoryState, tip, type World } from './state.ts';

interface GitExchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly url: URL;
  readonly input: Buffer;
}

const route = /^\/([^/]+\/[^/]+?)(?:\.git)?\/(info\/refs|git-upload-pack|git-receive-pack)$/;

/** Git's smart protocol, for who shows a token as GitHub wants it; pushes where Sluice has the right to. */
export async function serveGit(world: World, { request, response, url, input }: GitExchange): Promise<void> {
  const [, name = '', rest = ''] = route.exec(url.pathname) ?? [];
  const now = world.renamed.get(name) ?? name;
  const repository = world.repositories.find(({ fullName }) => fullName === now);
  const [, secret = ''] = (request.headers.authorization ?? '').split(' ');
  const [user, token] = Buffer.from(secret, 'base64').toString().split(':');
  const known = token === world.token.value || token?.startsWith(`ghs_${world.appId}_`);
  if (user !== 'x-access-token' || !known) {
    response.writeHead(401, { 'www-authenticate': 'Basic realm="GitHub"' }).end();
    return;
  }
  if (repository === undefined) {
    response.writeHead(404).end();
    return;
  }
  const service = rest === 'info/refs' ? (url.searchParams.get('service') ?? '') : rest;
  if (service === 'git-receive-pack' && !repository.mayPush) {
    response.writeHead(403).end(`Permission to ${name}.git denied to ${world.slug}[bot].`);
    return;
  }
  const advertise = rest === 'info/refs';
  response.writeHead(200, { 'content-type': `application/x-${service}-${advertise ? 'advertisement' : 'result'}` });
  const line = `# service=${service}\n`;
  if (advertise) response.write(`${(line.length + 4).toString(16).padStart(4, '0')}${line}0000`);
  const args = [service.slice(4), '--stateless-rpc', ...(advertise ? ['--http-backend-info-refs'] : [])];
  const child = spawn('git', [...args, repository.directory], { stdio: ['pipe', 'pipe', 'ignore'] });
  child.stdout.pipe(response, { end: false });
  // It may have ended without reading.
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  await once(child, 'close');
  if (service === 'git-receive-pack' && !advertise) await markPushed(world, repository);
  response.end();
}

/** GitHub takes for merged what has its head on the branch that it was to go to. */
async function markPushed(world: World, repository: RepositoryState): Promise<void> {
  for (const pull of repository.pulls.filter(({ state }) => state === 'open')) {
    const merged = await git(repository, 'merge-base', '--is-ancestor', pull.head, `refs/heads/${pull.base}`).then(
      () => true,
      () => false,
    );
    if (merged) closePull(world, pull, `${world.slug}[bot]`, await tip(repository, pull.base));
  }
}
