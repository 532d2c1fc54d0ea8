import type { Config } from '../config/load.ts';
import { allPlatforms } from '../config/platforms.ts';
import { askEngine } from './engine.ts';
import type { Finding, Step } from './step.ts';

/** The images of every platform, made or fetched once. */
export function containerImages(config: Pick<Config, 'platforms'>): Step {
  const platforms = allPlatforms(config);
  return {
    name: 'container images',
    why: 'each platform has one with its build tools and a minimal one to install on',
    async check() {
      if ((await askEngine()) !== 'answers') return [finding('container images (their engine is away)')];
      const { missingImages } = await import('../images/ensure.ts');
      const { recipes, pulls } = await missingImages(platforms);
      return [...recipes.map(({ image }) => image), ...pulls].map(finding);
    },
    async act(_, report) {
      const { ensureImages } = await import('../images/ensure.ts');
      await ensureImages(platforms, report);
    },
  };
}

function finding(missing: string): Finding {
  return { missing, part: 'containers', mend: './sluice doctor --mend' };
}
