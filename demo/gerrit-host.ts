/** The story's Gerrit, as a process of its own: it outlives the story, and ends with the stack that it serves. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { showToSigner } from '../infra/bootstrap/signer.ts';
import { addSluice, askGerrit, done } from '../infra/gerrit/account.ts';
import { pushRights, type Setting } from '../infra/gerrit/rights.ts';
import { startGerrit } from '../infra/gerrit/server.ts';
import { adminPassword, makeSite } from '../infra/gerrit/site.ts';
import { fetchGerrit } from '../infra/gerrit/tools.ts';
import { untilDown } from './companion.ts';
import { type DemoGerrit, developer } from './forge-gerrit.ts';

const [root, data] = process.argv.slice(2);
if (root === undefined || data === undefined) throw new Error('usage: gerrit-host ROOT DATA');
await mkdir(root, { recursive: true });
const tools = await fetchGerrit();
// What is imported has its own author and committer.
const imports: Setting = ['access.refs/heads/*.forgeCommitter', 'group Administrators'];
const site = await makeSite(tools, join(root, 'site'), { rights: [...pushRights, imports] });
const gerrit = await startGerrit(tools, site);
try {
  const { name, email } = developer;
  const account = { name: 'Ada Developer', email, http_password: adminPassword };
  await done(askGerrit(site, { method: 'PUT', path: `/accounts/${name}`, body: account }));
  const review = await addSluice(site, root);
  await showToSigner([review.identity, review.password.file]);
  const found: DemoGerrit = { site, review };
  process.stdout.write(`${JSON.stringify(found)}\n`);
  await untilDown(data);
} finally {
  await gerrit.stop();
}
