import type { Command } from 'commander';
import type { BuildView } from '../server/api/types.ts';
import { ownPath } from '../web/address.ts';
import { inputsOf } from '../web/inputs.ts';
import { addClientOptions, type ClientOptions, createClient } from './client.ts';
import { addCommand } from './command.ts';
import { print, table } from './output.ts';

type Artifacts = BuildView['build']['artifacts'];

/** Adds `artifacts`. */
export function register(program: Command): void {
  const command = addCommand(program, 'artifacts', { examples: ['sluice artifacts build-deb-8d1f0c2e3f2a9c10'] });
  addClientOptions(command)
    .argument('<build>', 'a build’s id, as `sluice builds` lists it')
    .action(async (id: string, options: ClientOptions) => {
      const client = createClient(options);
      const { build } = await client.get<BuildView>(`/api/builds/${encodeURIComponent(id)}`);
      // Containers reach the server by an address of their own.
      const artifacts = build.artifacts.map((one) => ({ ...one, url: new URL(ownPath(one.url), client.url).href }));
      print(artifacts, (all) => render(all) + renderInputs(build), options);
    });
}

function render(artifacts: Artifacts): string {
  const rows = artifacts.map(({ name, url, metadata }) => [name, String(metadata?.type ?? ''), url]);
  return table(['NAME', 'TYPE', 'URL'], rows);
}

function renderInputs(build: BuildView['build']): string {
  const inputs = inputsOf(build);
  if (inputs === undefined) return '';
  const again = inputs.madeBy === undefined ? '' : `, made by the build ${inputs.madeBy}`;
  return `\ninputs ${inputs.digest}${again}`;
}
