import { appendFile, chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type ApiClient, createClient } from '../../cli/client.ts';
import { story } from '../../demo/changes.ts';
import { changeId } from '../../demo/developer.ts';
import type { Narrator } from '../../demo/narrator.ts';
import { endDemo } from '../../demo/run.ts';
import type { Scene } from '../../demo/scene.ts';
import { demoPaths, setScene } from '../../demo/scene.ts';
import { toolTimesVariable } from '../../infra/temporal/tool-times.ts';

/** The demo's tinycdb on a Sluice of its own, under a gate and nothing else. */
export interface ChainStage {
  /** Where the activities write what they waited for. */
  readonly times: string;
  /** Commits a change, and answers with what pushes and approves it. */
  prepare(): Promise<() => Promise<{ readonly pushed: number; readonly approved: number }>>;
  /** Waits until so many releases are published and every set of mirrors has committed after them. */
  mirrored(releases: number): Promise<void>;
  stop(): Promise<void>;
}

const project = 'tinycdb';

/** The shipped jobs of both formats, without `check`. */
const gateOnly = `- project-template:
    name: gate-only
    gate:
      fail-fast: true
      jobs:
        [build-deb, lint-deb, publish-deb, install-deb, systest-deb, build-rpm, lint-rpm, publish-rpm, install-rpm, systest-rpm]
    post:
      jobs: [release-deb, release-rpm]
`;

/** @param root directory of the benchmark; emptied first */
export async function setStage(root: string, narrator: Narrator): Promise<ChainStage> {
  const times = `${root}-tool-times.jsonl`;
  await mkdir(dirname(times), { recursive: true });
  await rm(times, { force: true });
  await appendFile(times, '');
  // The signer writes as a user of its own.
  await chmod(times, 0o666);
  process.env[toolTimesVariable] = times;
  // Both formats' jobs side by side: a job that waits for a place would be counted as orchestration.
  const connect = (config: string) => createClient({ config });
  const scene = await setScene(root, {
    narrator,
    connect,
    review: 'git',
    nodes: 'docker',
    settings: { workers: { build: 4 } },
  });
  await writeFile(join(scene.sources, project, '.zuul.yaml'), gateOnly);
  const upstream = await scene.developer.importSource(project, join(scene.sources, project));
  await scene.sluice('project', 'add', project, upstream, '--template', 'gate-only');
  await scene.sluice('enqueue', '--pipeline', 'post', '--project', project, '--branch', 'master');
  const api = connect(demoPaths(root).config);
  return {
    times,
    prepare: () => prepare(scene, api),
    mirrored: (releases) => mirrored(scene, releases),
    stop: () => endDemo(root),
  };
}

async function prepare({ developer }: Scene, api: ApiClient) {
  const tree = await developer.commit(story.goodChange);
  const id = changeId(story.goodChange.id);
  return async () => {
    const pushed = Date.now();
    await developer.send(tree);
    await api.post(`/api/changes/${id}/approve`, { label: 'Approved', value: 1 });
    return { pushed, approved: Date.now() };
  };
}

async function mirrored({ observer }: Scene, count: number): Promise<void> {
  const published = await observer.until(`${count} releases`, ({ releases }) => {
    const failed = releases.find(({ state }) => state === 'failed');
    if (failed) throw new Error(`${failed.id}: ${failed.summary}`);
    const done = releases.filter(({ state }) => state === 'published');
    return done.length === count ? done : undefined;
  });
  const last = (format: string) =>
    Math.max(...published.filter(({ packages }) => packages[0]?.format === format).map(({ endTime }) => endTime ?? 0));
  await observer.until('the mirrors', ({ mirrors }) => {
    const done = ['deb', 'rpm'].map((set) =>
      mirrors.some((each) => each.set === set && each.startTime >= last(set) - 1000 && each.outcome === 'committed'),
    );
    return done.every(Boolean) ? done : undefined;
  });
}
