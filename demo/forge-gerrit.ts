import { readFile } from 'node:fs/promises';
import { parseDocument } from 'yaml';
import { writeWhole } from '../activities/files/write.ts';
import { must } from '../activities/process/run.ts';
import { adminUrl, askGerrit, done, type RestQuestion, type SluiceAccount } from '../infra/gerrit/account.ts';
import type { GerritSite } from '../infra/gerrit/config.ts';
import { adminPassword } from '../infra/gerrit/site.ts';
import type { Change } from '../pipelines/model/change.ts';
import type { Forge, LineAnswer } from './forge.ts';

/** A Gerrit that was started for the story. */
export interface DemoGerrit {
  readonly site: GerritSite;
  /** Sluice's connection to it, as `sluice.yaml` has it. */
  readonly review: SluiceAccount;
}

/** The account of the developer; the administrator is who reviews. */
export const developer = { name: 'ada', email: 'ada@example.org' };

const templates = ['deb-package', 'rpm-package'];
const approval = { labels: { 'Code-Review': 2, Workflow: 1 } };

/** A real Gerrit. @param config path of the stack's sluice.yaml, which learns of the projects */
export function gerritForge({ site }: DemoGerrit, config: string): Forge {
  const ask = (question: RestQuestion) => done(askGerrit(site, question));
  const read = (change: Change, what: string) => ask({ path: `/changes/${numberOf(change)}${what}` });
  return {
    remote: (project) => `http://${developer.name}:${adminPassword}@127.0.0.1:${site.httpPort}/a/${project}`,
    async enroll(name, tree) {
      await ask({ method: 'PUT', path: `/projects/${encodeURIComponent(name)}`, body: {} });
      await must('git', ['push', '--quiet', adminUrl(site, name), 'HEAD:refs/heads/master'], { cwd: tree });
      const document = parseDocument(await readFile(config, 'utf8'));
      document.setIn(['projects', name], { connection: 'review', queue: 'core', templates });
      await writeWhole(config, document.toString());
    },
    async nameOf(project, changeId) {
      const query = encodeURIComponent(`change:${changeId} project:${project}`);
      const [found] = (await ask({ path: `/changes/?q=${query}` })) as { readonly _number: number }[];
      if (found === undefined) throw new Error(`Gerrit has no change ${changeId} of ${project}`);
      return `${site.url}/c/${project}/+/${found._number}`;
    },
    async approve(change) {
      const path = `/changes/${numberOf(change)}/revisions/current/review`;
      await ask({ method: 'POST', path, body: approval });
    },
    async answers(change) {
      const { messages } = (await read(change, '?o=MESSAGES')) as {
        readonly messages: readonly { readonly message: string }[];
      };
      return messages.map(({ message }) => message);
    },
    async lineComments(change) {
      const byFile = (await read(change, '/comments')) as Readonly<Record<string, readonly Omit<LineAnswer, 'file'>[]>>;
      return Object.entries(byFile).flatMap(([file, all]) => all.map((one) => ({ ...one, file })));
    },
  };
}

function numberOf({ id }: Change): string {
  return id.slice(id.indexOf(':') + 1);
}
