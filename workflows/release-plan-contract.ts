/** Input of the `releasePlan` workflow. */
export interface ReleasePlanInput {
  readonly tenant: string;
  readonly plan: string;
  readonly action: 'commit' | 'revert';
  /** Who asks, as the way in proved. */
  readonly by: string;
}

/** Result of the `releasePlan` workflow: `ok: false` when nothing was shown. */
export interface ReleasePlanOutcome {
  readonly ok: boolean;
  readonly summary: string;
}
