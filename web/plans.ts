import type { ReleasePlanRecord } from '../server/api/types.ts';
import { type Html, html } from './html.ts';
import { sign } from './jobs.ts';
import { stateTone } from './results.ts';
import { ago, moment } from './time.ts';

/** Release plans, newest first: what each releases, where, and who did what to it last. */
export function renderPlans(plans: readonly ReleasePlanRecord[], now: number): Html | false {
  if (plans.length === 0) return false;
  return html`<section aria-labelledby="plans"><h2 id="plans">Release plans</h2>
    <ul class="rows">${plans.map((plan) => renderPlan(plan, now))}</ul></section>`;
}

function renderPlan({ id, state, builds, summary, deeds, startTime, endTime }: ReleasePlanRecord, now: number): Html {
  const repositories = [...new Set(builds.map(({ repository }) => repository))].join(', ');
  const packages = builds.flatMap((one) => one.packages.map(({ name, version }) => `${name} ${version}`));
  const last = deeds.at(-1);
  return html`<li id="plan-${id}">${sign(stateTone(state), state)}
    <span class="what"><b>${id}</b> <span class="meta">${repositories}${summary !== '' && html`: ${summary}`}</span>
      <span class="packages">${[...new Set(packages)].map((name) => html`<span class="tag">${name}</span> `)}</span></span>
    <span class="when"><time title="${moment(startTime)} UTC">${ago(endTime ?? startTime, now)}</time>
      ${last !== undefined && html` · ${last.did} by ${last.by}`}</span></li>`;
}
