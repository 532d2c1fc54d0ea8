import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { git } from '../../github/server/state.ts';
import { headOf, now, type ProjectState, setState, type World } from './state.ts';

interface GitExchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly url: URL;
  readonly input: Buffer;
}

const route = /^\/(.+)\.git\/(info\/refs|git-upload-pack|git-receive-pack)$/;

/** Git's smart protocol, for who shows the token as a password; pushes where the protection of branches lets it. */
export async function serveGit(world: World, { request, response, url, input }: GitExchange): Promise<void> {
  const [, name = '', rest = ''] = route.exec(url.pathname.slice(world.base.length)) ?? [];
  const project = world.projects.find((each) => each.name === name);
  const [, secret = ''] = (request.headers.authorization ?? '').split(' ');
  if (Buffer.from(secret, 'base64').toString().split(':')[1] !== world.token) {
    response.writeHead(401, { 'www-authenticate': 'Basic realm="GitLab"' }).end();
    return;
  }
  const service = rest === 'info/refs' ? (url.searchParams.get('service') ?? '') : rest;
  if (project === undefined || !url.pathname.startsWith(`${world.base}/`)) {
    response.writeHead(404).end();
    return;
  }
  if (service === 'git-receive-pack' && !project.mayPush) {
    response.writeHead(403).end('You are not allowed to push code to protected branches on this project.');
    return;
  }
  const advertise = rest === 'info/refs';
  response.writeHead(200, { 'content-type': `application/x-${service}-${advertise ? 'advertisement' : 'result'}` });
  const line = `# service=${service}\n`;
  if (advertise) response.write(`${(line.length + 4).toString(16).padStart(4, '0')}${line}0000`);
  const args = [service.slice(4), '--stateless-rpc', ...(advertise ? ['--http-backend-info-refs'] : [])];
  const child = spawn('git', [...args, project.directory], { stdio: ['pipe', 'pipe', 'ignore'] });
  child.stdout.pipe(response, { end: false });
  // It may have ended without reading.
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  await once(child, 'close');
  if (service === 'git-receive-pack' && !advertise) await markPushed(world, project);
  response.end();
}

/** GitLab takes for merged what has its head on the branch that it was to go to, a while after the push. */
async function markPushed(world: World, project: ProjectState): Promise<void> {
  for (const request of project.requests.filter(({ state }) => state === 'opened')) {
    const branch = `refs/heads/${request.base}`;
    const merged = await git(project, 'merge-base', '--is-ancestor', headOf(request), branch).then(
      () => true,
      () => false,
    );
    if (merged) pushed.set(request, { reads: world.lag, commit: await git(project, 'rev-parse', branch) });
  }
}

const pushed = new WeakMap<object, { reads: number; readonly commit: string }>();

/** Lets a merge request see what was pushed, when it has been read often enough. */
export function seePushed(world: World, request: ProjectState['requests'][number]): void {
  const known = pushed.get(request);
  if (known === undefined || request.state !== 'opened') return;
  known.reads -= 1;
  if (known.reads >= 0) return;
  request.mergeCommit = known.commit;
  setState(world, request, { by: world.login, state: 'merged' });
  request.updated = now(world);
}
