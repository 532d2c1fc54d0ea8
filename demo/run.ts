import { must } from '../activities/process/run.ts';
import { machineSteps } from './machine-steps.ts';
import { demoPaths, type Scene, type Staging, setScene } from './scene.ts';
import { tellStory, wholeStory } from './story.ts';

/** The demo, from an empty directory. @throws StoryEnded at the first step that is not as told. */
export async function runDemo(root: string, staging: Staging): Promise<void> {
  const steps = staging.nodes === 'vm' ? [...wholeStory, ...machineSteps] : wholeStory;
  const scenes: Scene[] = [];
  await staging.narrator.step('up', 'Sluice starts', async () => {
    const scene = await setScene(root, staging);
    scenes.push(scene);
    return { url: scene.url, reason: 'Temporal, server, worker and signer are up' };
  });
  for (const scene of scenes) await tellStory(scene, steps);
}

/** Stops what the demo started; its files stay for a look. */
export async function endDemo(root: string): Promise<void> {
  const main = new URL('../cli/main.ts', import.meta.url).pathname;
  await must(process.execPath, [main, 'down', '--config', demoPaths(root).config]);
}
