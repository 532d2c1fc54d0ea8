import { counted } from '../model/words.ts';
import type { ExportDescription } from './description.ts';

/** What a person reads who opens the directory of an export: Markdown. */
export function exportReadme(of: Omit<ExportDescription, 'files'>): string {
  const { buildSet, jobs, sources, repositories, released, made } = of;
  const secrets = [...new Set(jobs.flatMap((job) => job.secrets))];
  return `# Build set ${buildSet.key} of ${buildSet.changes.join(', ')}

Exported by Sluice at ${made}: pipeline ${buildSet.pipeline}, project ${buildSet.project}, ${buildSet.result}.

| job | result | what came out |
| --- | --- | --- |
${jobs.map(({ key, result, summary }) => `| ${key} | ${result ?? 'never begun'} | ${inCell(summary)} |`).join('\n')}

Run the same jobs elsewhere, from the same sources, with the same repositories on offer:

    sluice import DIRECTORY

- \`export.json\`: what is here, with the SHA-256 digest of every file
- \`graph.json\`: the jobs as they were frozen, and the states that they work on
- \`sources/\`: ${counted(sources.length, 'Git bundle')}; \`git clone sources/NAME.bundle\` checks out what was tested
- \`released/\`: ${counted(released.filter(({ path }) => path !== null).length, 'released repository', 'released repositories')}, as the jobs saw them
- \`repositories/\`: ${counted(repositories.length, 'test repository', 'test repositories')} of changes ahead and needed

${secrets.length === 0 ? 'No job needs a secret.' : `No secret is here. Jobs need these: ${secrets.join(', ')}.`}
`;
}

function inCell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}
