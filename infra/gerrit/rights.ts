/** What All-Projects must say so that a gate can vote and merge: keys of its `project.config`, in order. */

/** A key of `project.config`, and what it says. */
export type Setting = readonly [key: string, value: string];

const label = (name: string, values: readonly string[], more: readonly Setting[] = []): Setting[] => [
  [`label.${name}.function`, 'NoBlock'],
  [`label.${name}.defaultValue`, '0'],
  ...values.map((value): Setting => [`label.${name}.value`, value]),
  ...more,
];

const required = (name: string, when: string): Setting[] => [
  [`submit-requirement.${name}.submittableIf`, when],
  [`submit-requirement.${name}.canOverrideInChildProjects`, 'true'],
];

const everywhere = 'access.refs/heads/*';

const granted = (group: string): Setting[] => [
  [`${everywhere}.label-Verified`, `-2..+2 group ${group}`],
  [`${everywhere}.label-Workflow`, `-1..+1 group ${group}`],
  [`${everywhere}.label-Code-Review`, `-2..+2 group ${group}`],
  [`${everywhere}.submit`, `group ${group}`],
];

/** Labels `Verified` and `Workflow`, both required, and rights for people and for Sluice's account. */
export const labelsAndRights: readonly Setting[] = [
  ...label(
    'Verified',
    ['-2 Gate failed', '-1 Fails', ' 0 No score', '+1 Verified', '+2 Gate succeeded'],
    [['label.Verified.copyCondition', 'changekind:NO_CODE_CHANGE']],
  ),
  ...required('Verified', 'label:Verified=MAX AND -label:Verified=MIN'),
  ...label('Workflow', ['-1 Work in progress', ' 0 Ready', '+1 Approved']),
  ...required('Workflow', 'label:Workflow=MAX'),
  ['label.Code-Review.function', 'NoBlock'],
  ...required('Code-Review', 'label:Code-Review=MAX AND -label:Code-Review=MIN'),
  ...granted('Administrators'),
  ...granted('Service Users'),
  // Newer servers do not grant these by themselves.
  [`${everywhere}.push`, 'group Administrators'],
  ['access.refs/meta/config.push', 'group Administrators'],
];

/** What lets Sluice bring exactly the commit that it has tested to a branch. */
export const pushRights: readonly Setting[] = [
  // So that it can ask whether it may.
  ['capability.viewAccess', 'group Service Users'],
  [`${everywhere}.push`, 'group Service Users'],
  [`${everywhere}.pushMerge`, 'group Service Users'],
  [`${everywhere}.forgeCommitter`, 'group Service Users'],
];
