import type { Config } from '../config/load.ts';
import { madePlatforms } from '../config/platforms.ts';
import { builtInPlatforms, shippedPlatforms } from '../images/platforms.ts';
import type { WantedPlatform } from '../images/recipes.ts';
import { askEngine } from './engine.ts';
import type { Finding, Step } from './step.ts';
import type { Part } from './tools.ts';

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
      const { always, onNeed } = await used(config);
      const { recipes, pulls } = await missingImages(always);
      const missing = [...recipes.map(({ image }) => image), ...pulls];
      // Jobs use these as they are.
      const older = (await missingImages(onNeed)).recipes.map(({ image }) => image);
      const others = older.filter((image) => !missing.includes(image));
      return [...missing.map((image) => finding(image)), ...others.map((image) => finding(image, 'older images'))];
    },
    async act(_, report) {
      const { ensureImages } = await import('../images/ensure.ts');
      const { always, onNeed } = await used(config);
      await ensureImages([...always, ...onNeed], report);
    },
  };
}

interface Used {
  readonly always: readonly WantedPlatform[];
  readonly onNeed: readonly WantedPlatform[];
}

async function used(config: Pick<Config, 'platforms'>): Promise<Used> {
  const { platformsInUse, withControl } = await import('../images/on-need.ts');
  const all = madePlatforms(config);
  const optional = all.filter((one) => builtInPlatforms.includes(one) && !shippedPlatforms.includes(one));
  const [always, onNeed] = await Promise.all([
    withControl(all.filter((one) => !optional.includes(one))),
    withControl(await platformsInUse(optional)),
  ]);
  return { always, onNeed };
}

function finding(missing: string, part: Part = 'containers'): Finding {
  return { missing, part, mend: './sluice doctor --mend' };
}
