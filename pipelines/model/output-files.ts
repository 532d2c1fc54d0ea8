import { z } from 'zod';
import { digestSchema } from './artifact.ts';

/** The files that the programs of a job left to be kept, by their paths: content of an artifact of the type `output`. */
export const outputFilesSchema = z.object({
  files: z.array(z.object({ path: z.string(), digest: digestSchema, size: z.int() })),
});

export type OutputFiles = z.output<typeof outputFilesSchema>;
