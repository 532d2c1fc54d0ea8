import { randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Docker from 'dockerode';
import { createContainer } from '../../activities/nodes/docker/container.ts';
import { ask, askIfThere } from '../../activities/nodes/docker/faults.ts';
import { asRoot, runInTerminal } from '../../activities/process/in-terminal.ts';
import { quoted } from '../../activities/process/quoted.ts';
import { makeTemporary } from '../../activities/process/temporary.ts';
import { providerOf } from '../../pipelines/model/platform.ts';
import { type AptSettings, readAptSettings, withoutArchitecture } from './apt-settings.ts';
import { codenameOf, type Recipe, recipesFor, scriptPath, type WantedPlatform } from './recipes.ts';

/** The label of every image made here, with its recipe's digest as its value. */
export const recipeLabel = 'sluice.recipe';

/** Receives one line about each step. */
export type OnProgress = (line: string) => void;

/**
 * Makes the images that the platforms need and that are missing or made by an older recipe; fetches those that are
 * left to the container engine. Images that do not start from each other are made side by side.
 *
 * @throws EngineUnavailable without a container engine; an error with the tool's last words when making one fails.
 */
export async function ensureImages(
  platforms: readonly WantedPlatform[],
  onProgress: OnProgress,
  docker: Docker = new Docker(),
): Promise<void> {
  const missing = await missingImages(platforms, docker);
  const kitchen: Kitchen = { docker, onProgress, settings: new Map(), done: new Map() };
  for (const platform of platforms.filter((each) => providerOf(each) === 'docker')) {
    const codename = codenameOf(platform);
    if (platform.images === 'bootstrap') kitchen.settings.set(codename, await readAptSettings(codename));
  }
  for (const recipe of missing.recipes) kitchen.done.set(recipe.image, prepare(kitchen, recipe));
  await Promise.all([...kitchen.done.values(), ...missing.pulls.map((image) => pull(kitchen, image))]);
}

/** What is still to be made or fetched: for `ensureImages`, and for whoever announces it first. */
export async function missingImages(
  platforms: readonly WantedPlatform[],
  docker: Docker = new Docker(),
): Promise<{ readonly recipes: readonly Recipe[]; readonly pulls: readonly string[] }> {
  const contained = platforms.filter((platform) => providerOf(platform) === 'docker');
  const recipes = await recipesFor(contained, readAptSettings);
  const labels = await Promise.all(recipes.map(({ image }) => recipeOf(docker, image)));
  const foreign = contained.filter(({ images }) => images === 'pull');
  const images = [...new Set(foreign.flatMap(({ buildImage, testImage }) => [buildImage, testImage]))];
  const known = await Promise.all(images.map((image) => recipeOf(docker, image)));
  return {
    recipes: recipes.filter(({ digest }, i) => labels[i] !== digest),
    pulls: images.filter((_, i) => known[i] === null),
  };
}

interface Kitchen {
  readonly docker: Docker;
  readonly onProgress: OnProgress;
  readonly settings: Map<string, AptSettings>;
  /** Images in the making, for those that start from them. */
  readonly done: Map<string, Promise<void>>;
}

/** The recipe that an image was made by, empty for a foreign image, null for none. */
async function recipeOf(docker: Docker, image: string): Promise<string | null> {
  const found = await askIfThere('look at an image', docker.getImage(image).inspect());
  return found === null ? null : (found.Config.Labels?.[recipeLabel] ?? '');
}

async function prepare(kitchen: Kitchen, recipe: Recipe): Promise<void> {
  if (recipe.from !== null) await kitchen.done.get(recipe.from);
  const start = performance.now();
  kitchen.onProgress(`making the image ${recipe.image}`);
  const from = recipe.from ?? (await bootstrap(kitchen, recipe));
  await finish(kitchen, recipe, from);
  if (recipe.from === null) await askIfThere('drop a name', kitchen.docker.getImage(from).remove());
  kitchen.onProgress(`made the image ${recipe.image} in ${Math.round((performance.now() - start) / 1000)} s`);
}

/** Makes the system with mmdebstrap and imports it, still without the recipe's label. */
async function bootstrap(kitchen: Kitchen, recipe: Recipe): Promise<string> {
  const { codename, arch } = recipe;
  const settings = kitchen.settings.get(codename) ?? (await readAptSettings(codename));
  const { sources, config, preferences } = arch === null ? settings : withoutArchitecture(settings);
  const directory = await makeTemporary('sluice-image');
  try {
    const tar = join(directory, 'root.tar');
    const https = sources.some((source) => source.includes('https:'));
    const options = [
      '--variant=apt',
      // Whether its programs run was asked before.
      ...(arch === null ? [] : [`--architectures=${arch}`, '--skip=check/qemu']),
      '--skip=cleanup/apt/lists',
      '--dpkgopt=force-unsafe-io',
      ...(https ? ['--include=ca-certificates'] : []),
      ...config
        .split('\n')
        .filter(Boolean)
        .map((line) => `--aptopt=${line}`),
      ...(preferences ? [`--customize-hook=${writeFileHook('/etc/apt/preferences.d/sluice', preferences)}`] : []),
    ];
    // As an administrator: it need not find out whether this kernel lets others make a system.
    await runInTerminal([...asRoot(), 'mmdebstrap', ...options, codename, tar, ...sources], () => {});
    const repo = recipe.image.split(':')[0] ?? '';
    // Another process may be making the same one.
    const tag = `new-${randomBytes(6).toString('hex')}`;
    // Whatever its architecture: engines that look at it take images of their own machine's alone.
    const stream = await ask('import an image', kitchen.docker.importImage(createReadStream(tar), { repo, tag }));
    await follow(kitchen.docker, stream);
    return `${repo}:${tag}`;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

function writeFileHook(path: string, text: string): string {
  return `printf '%s\\n' ${quoted([text])} > "$1${path}"`;
}

/** Runs the recipe's scripts in a container of `from` and keeps the result under the recipe's name. */
async function finish({ docker, onProgress }: Kitchen, recipe: Recipe, from: string): Promise<void> {
  const config = { Image: from, Cmd: ['sleep', 'infinity'], Labels: { 'sluice.build': 'images' } };
  const made = await ask('make a container', docker.createContainer(config));
  const container = createContainer(docker, made.id, { volumes: [] });
  try {
    await ask('start a container', made.start());
    for (const name of recipe.scripts) {
      if (name !== recipe.scripts[0]) onProgress(`  ${recipe.image}: ${name}`);
      await runScript(container, name, recipe.arch === null ? patience.own : patience.foreign);
    }
    const [repo, tag] = recipe.image.split(':');
    const changes = `LABEL ${recipeLabel}=${recipe.digest}`;
    await ask('commit an image', made.commit({ repo, tag, changes }));
  } finally {
    await container.remove();
  }
}

/** Milliseconds for one script: foreign programs are emulated, at a tenth of the speed. */
const patience = { own: 900_000, foreign: 7_200_000 } as const;

async function runScript(container: ReturnType<typeof createContainer>, name: string, timeout: number): Promise<void> {
  await container.put(fileURLToPath(scriptPath(name)), '/root');
  const script = `/root/${name}`;
  const { code, output } = await container.exec(['/bin/sh', script], { signal: AbortSignal.timeout(timeout) });
  if (code !== 0) throw new Error(`${name} ended with ${code}: ${output.trim().split('\n').slice(-8).join('\n')}`);
  await container.exec(['rm', '-f', script], { signal: AbortSignal.timeout(60_000) });
}

async function pull({ docker, onProgress }: Kitchen, image: string): Promise<void> {
  onProgress(`fetching the image ${image}`);
  await follow(docker, await ask(`fetch the image ${image}`, docker.pull(image)));
}

/** Waits for a request that reports its progress in a stream; an error in it is thrown. */
function follow(docker: Docker, stream: NodeJS.ReadableStream): Promise<void> {
  return new Promise((resolve, reject) => {
    docker.modem.followProgress(stream, (error) => (error ? reject(error) : resolve()));
  });
}
