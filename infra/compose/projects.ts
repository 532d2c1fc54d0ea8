import { statSync } from 'node:fs';
import type { GatedProject } from '../../activities/layout/layouts.ts';
import { type Config, loadConfig } from '../config/load.ts';

type ProjectSettings = Pick<Config, 'file' | 'projects' | 'config-projects'>;

/**
 * The projects under the gate as `sluice.yaml` has them now: they are added while the server runs. While the file is
 * broken, those that were read before stay.
 */
export function gatedProjects(config: ProjectSettings, warn: (message: string) => void): () => readonly GatedProject[] {
  const { file } = config;
  let known = { time: file === null ? 0 : modified(file), projects: toProjects(config) };
  return () => {
    if (file === null) return known.projects;
    const time = modified(file);
    if (time === known.time) return known.projects;
    try {
      known = { time, projects: toProjects(loadConfig({ file })) };
    } catch (error) {
      warn(`the projects stay as they were: ${error instanceof Error ? error.message : error}`);
      known = { ...known, time };
    }
    return known.projects;
  };
}

function modified(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

function toProjects(config: Omit<ProjectSettings, 'file'>): readonly GatedProject[] {
  return Object.entries(config.projects).map(([name, { connection, queue, templates, branches }]) => ({
    name,
    connection,
    trusted: config['config-projects'].includes(name),
    templates,
    ...(queue === undefined ? {} : { queue }),
    ...(branches === undefined ? {} : { branches }),
  }));
}
