import type { ChangeFacts } from '../../pipelines/gate/command.ts';
import { type Layout, layoutPipelines } from '../../pipelines/language/language.ts';
import type { Change, TriggerEvent } from '../../pipelines/model/change.ts';
import { closure, factsOf, type OpenChanges, proposalsOf, uses } from './closure.ts';
import { withFilesByDigest } from './files.ts';
import type { HostedChanges, SeenById } from './hosted-changes.ts';
import type { Subject } from './jobless.ts';
import { refChange } from './ref-change.ts';
import type { View } from './route.ts';
import type { RouterDeps } from './router-deps.ts';

type ViewDeps = Pick<RouterDeps, 'tenant' | 'layouts' | 'blobs'>;

/** What else is read of a change with it. */
interface Around {
  /** Absent: what is open just now, wherever it is. */
  readonly open?: (() => Promise<OpenChanges>) | undefined;
  /** What the host has said of it already. */
  readonly seen?: SeenById | undefined;
}

const nothing: ReadonlySet<string> = new Set();

/** Changes, branches and tags with what gates must know of them. */
export class Views {
  readonly #deps: ViewDeps;
  readonly #changes: HostedChanges;

  constructor(deps: ViewDeps, changes: HostedChanges) {
    this.#deps = deps;
    this.#changes = changes;
  }

  async of(change: Change, { open = () => this.#changes.listOpen(), seen }: Around = {}): Promise<View> {
    const layout = await this.#deps.layouts.current();
    const read = (id: string) => this.#changes.read(id);
    const found = await closure(change, { read, open: await open() });
    const { changes: related, unready } = await this.#changes.judged(layout, found, seen);
    const facts = factsOf(layout, related.find(({ id }) => id === change.id) ?? change);
    const proposals = proposalsOf(layout, change, related);
    const joins = await this.#joins(layout, facts, proposals);
    const slim = (one: ChangeFacts) => withFilesByDigest(this.#deps.blobs, one);
    const around = await Promise.all(related.map((one) => slim(factsOf(layout, one))));
    const view = { tenant: this.#deps.tenant, layout, change: await slim(facts), around, joins, proposals };
    return unready === undefined ? view : { ...view, unready };
  }

  /** The branch or tag that an event is about. */
  async ofRef(layout: Layout, event: TriggerEvent): Promise<View> {
    const change = factsOf(layout, refChange(event));
    return { tenant: this.#deps.tenant, layout, change, around: [change], joins: nothing, proposals: [] };
  }

  /** The change with all its files, and the configuration that it would be tested with. */
  async subject(view: View, change: Change): Promise<Subject> {
    const { layout, proposals } = view;
    return { view, change, layout: proposals.length === 0 ? layout : await this.#deps.layouts.proposed(proposals) };
  }

  /** A change is tested with the configuration that it brings, also where that is its project's first. */
  async #joins(layout: Layout, change: ChangeFacts, proposals: View['proposals']): Promise<ReadonlySet<string>> {
    const open = layoutPipelines(layout).filter(({ name }) => !uses(change, name));
    if (open.length === 0 || proposals.length === 0) return nothing;
    const { placements } = factsOf(await this.#deps.layouts.proposed(proposals), change);
    return new Set(open.flatMap(({ name }) => (placements[name]?.uses === 'here' ? [name] : [])));
  }
}
