import { splitBySight } from '../../pipelines/model/lines-seen.ts';
import type { ReleaseRules } from '../../pipelines/model/release-line.ts';
import { notOfferedRemarks } from '../../pipelines/report/lines.ts';
import type { StageInput, StageResult } from '../../workflows/contract.ts';
import type { StageActivities } from '../stages.ts';

/** The same work, without packages of other changes that will not be where those of the job are released. */
export function withinLines(stages: StageActivities, rules: ReleaseRules): StageActivities {
  const within = async (input: StageInput, run: (input: StageInput) => Promise<StageResult>) => {
    const { seen, elsewhere } = splitBySight(rules, { branch: input.build.branch, provided: input.provided });
    const result = await run({ ...input, provided: seen });
    if (elsewhere.length === 0 || result.result === 'SUCCESS') return result;
    return { ...result, remarks: [...(result.remarks ?? []), ...notOfferedRemarks(elsewhere)] };
  };
  return {
    ...stages,
    runStage: (input) => within(input, stages.runStage),
    resumeStage: (input) => within(input.stage, (stage) => stages.resumeStage({ ...input, stage })),
  };
}
