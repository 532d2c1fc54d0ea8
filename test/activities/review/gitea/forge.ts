import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { Delivery } from '../../../../activities/review/port.ts';
import { type Forge, forgeConfig } from '../../../server/forge.ts';
import { listen } from './hooks.ts';
import type { GiteaSite } from './site.ts';
import { contents, hookSecret, openWorld, pathOf, until } from './world.ts';

const events = ['pull_request', 'issue_comment', 'pull_request_review', 'push', 'status'];

/** A project of a real Gitea, which posts what happens there. */
export async function openForge(t: TestContext, site: GiteaSite): Promise<Forge> {
  const { connection, git, push, vote, words } = await openWorld(t, site);
  const { root, ada, sluice } = site;
  const { url, posted } = await listen(t);
  const project = words.project('alpha');
  const path = `/repos/${project}`;
  const config = contents(forgeConfig, { branch: 'master' });
  await sluice.api('POST', `${path}/contents/.zuul.yaml`, config);
  const hook = { type: 'gitea', active: true, events, config: { url, content_type: 'json', secret: hookSecret } };
  await root.api('POST', `${path}/hooks`, hook);
  let change = '';
  /** What is posted of something that is done. */
  const after = async (kind: RegExp, work: () => Promise<unknown>): Promise<Delivery> => {
    const before = posted.length;
    await work();
    const find = () =>
      posted.slice(before).find(({ headers, body }) => {
        const { action = '' } = JSON.parse(body.toString()) as { readonly action?: string };
        return kind.test(`${headers['x-gitea-event']} ${action}`);
      });
    await until(async () => find() !== undefined);
    return find() ?? assert.fail('nothing was posted');
  };
  const comment = (body: string) => ada.api('POST', `${pathOf(change, 'issues')}/comments`, { body });
  return {
    ...{ connection, git, driver: 'gitea', project },
    async open() {
      const opened = await after(/^pull_request opened/, async () => {
        change = await push({ project: 'alpha', file: 'a', content: '1' });
      });
      return [change, opened];
    },
    async label() {
      const { id } = await root.api<{ id: number }>('POST', `${path}/labels`, { name: 'approved', color: '#ff0000' });
      const give = () => root.api('POST', `${pathOf(change, 'issues')}/labels`, { labels: [id] });
      return after(/label_updated/, give);
    },
    approve: () => after(/^pull_request_(approved|review)/, () => vote(change, 'Approved', 1)),
    merged: async () =>
      posted.find(({ body }) => JSON.parse(body.toString()).action === 'closed') ??
      after(/^pull_request closed/, async () => {}),
    async want() {
      const wanted = { enable_status_check: true, status_check_contexts: ['unit'] };
      await root.api('PATCH', `${path}/branch_protections/master`, wanted);
    },
    async give() {
      const { head } = await root.api<{ head: { sha: string } }>('GET', pathOf(change, 'pulls'));
      await root.api('POST', `${path}/statuses/${head.sha}`, { context: 'unit', state: 'success' });
    },
    byTheWay: () => after(/ edited/, () => ada.api('PATCH', pathOf(change, 'pulls'), { body: 'In other words.' })),
    recheck: () => after(/^issue_comment/, () => comment('recheck')),
  };
}
