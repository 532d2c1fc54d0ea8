import { z } from 'zod';

/** What a provider lends at most, or a host of it. */
export const capacity = z.strictObject({
  maxServers: z.int().min(1).optional().describe('Machines that jobs have at once. Default: no limit.'),
  maxCores: z.number().positive().optional().describe('Processor cores of all of them. Default: no limit.'),
  maxRamGb: z.number().positive().optional().describe('Memory of all of them in GiB. Default: no limit.'),
});
