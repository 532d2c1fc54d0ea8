import type { Config } from '../config/load.ts';
import { madePlatforms } from '../config/platforms.ts';
import { builtInPlatforms, shippedPlatforms } from '../images/platforms.ts';
import type { WantedPlatform } from '../images/recipes.ts';
import { askEngine } from './engine.ts';
import type { Finding, Step } from './step.ts';

/**
 * The images of the platforms that are used, made or fetched once: those of the shipped jobs and of the configuration,
 * and others that have theirs already. Those of the rest are made when a job needs them.
 */
export function containerImages(config: Pick<Config, 'platforms'>): Step {
  return {
    name: 'container images',
    why: 'each platform has one with its build tools and a minimal one to install on',
    async check() {
      if ((await askEngine()) !== 'answers') return [finding('container images (their engine is away)')];
      const { missingImages } = await import('../images/ensure.ts');
      const { recipes, pulls } = await missingImages(await used(config));
      return [...recipes.map(({ image }) => image), ...pulls].map(finding);
    },
    async act(_, report) {
      const { ensureImages } = await import('../images/ensure.ts');
      await ensureImages(await used(config), report);
    },
  };
}

async function used(config: Pick<Config, 'platforms'>): Promise<readonly WantedPlatform[]> {
  const { platformsInUse, withControl } = await import('../images/on-need.ts');
  const all = madePlatforms(config);
  const optional = all.filter((one) => builtInPlatforms.includes(one) && !shippedPlatforms.includes(one));
  const inUse = await platformsInUse(optional);
  return withControl(all.filter((one) => !optional.includes(one) || inUse.includes(one)));
}

function finding(missing: string): Finding {
  return { missing, part: 'containers', mend: './sluice doctor --mend' };
}
