import type { Command } from 'commander';
import { type Platform, providerOf } from '../pipelines/model/platform.ts';
import { addCommand, configOption, jsonOption } from './command.ts';
import { print, table } from './output.ts';
import { readPlatforms } from './platform.ts';

/** Adds `platform list`. */
export function register(program: Command): void {
  addCommand(program, 'platform list', {
    examples: ['sluice platform list', 'sluice platform list --json'],
    details:
      'A name is what nodesets call a label, and what --platform takes. Images that are not there yet are made when ' +
      'something needs them first.',
  })
    .addOption(configOption())
    .addOption(jsonOption())
    .action(async (options: { readonly config?: string; readonly json?: boolean }) => {
      const platforms = await Promise.all(readPlatforms(options.config).map(describe));
      print({ platforms }, () => table(head, platforms.map(row)), options);
    });
}

const noImages = { vm: 'virtual machines: sluice vm list', static: 'machines that are there: sluice nodes' };
const head = ['NAME', 'FORMAT', 'CODENAME', 'ARCH', 'IMAGES'];

async function describe(platform: Platform) {
  const { name, format, codename, arch, buildImage, testImage, images, buildRequires, limits } = platform;
  const { builtInPlatforms } = await import('../infra/images/platforms.ts');
  return {
    ...{ name, format, codename, arch, builtIn: builtInPlatforms.includes(platform) },
    ...{ buildImage, testImage, images, ready: await isReady(platform), buildRequires, limits },
    provider: providerOf(platform),
  };
}

/** Null where no engine answers, and where nodes are no containers. */
async function isReady(platform: Platform): Promise<boolean | null> {
  if (providerOf(platform) !== 'docker') return null;
  const { hasImages } = await import('../infra/images/on-need.ts');
  return hasImages(platform).catch((error: Error) => {
    if (error.name === 'EngineUnavailable') return null;
    throw error;
  });
}

function row({ provider, images, ready, ...each }: Awaited<ReturnType<typeof describe>>): string[] {
  const { name, format, codename, arch } = each;
  if (provider !== 'docker') return [name, format, codename, arch, noImages[provider]];
  const later = images === 'bootstrap' ? 'made on first need' : 'fetched on first need';
  return [name, format, codename, arch, ready === null ? 'unknown: no container engine' : ready ? 'there' : later];
}
