import { type Config, InvalidConfiguration, type LoadOptions, loadConfig } from '../infra/config/load.ts';
import { misused } from './fault.ts';

/**
 * The configuration that `--config` names, or `./sluice.yaml`, or the defaults.
 *
 * @param options `file`: what `--config` was given; `data`: replaces its `data`
 * @throws CommandError with status 2 that names every problem with its place.
 */
export function readConfiguration(options: Pick<LoadOptions, 'file' | 'data'> = {}): Config {
  try {
    return loadConfig(options);
  } catch (error) {
    if (error instanceof InvalidConfiguration) throw misused(error.message);
    throw error;
  }
}
