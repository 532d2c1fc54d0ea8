import type { ConnectionRule, MessageKey, Pipeline, ReportAction } from '../model/pipeline.ts';
import { faultsOf } from './faults.ts';
import { asking } from './near-key.ts';
import { type ParseContext, refuse, reportFaults } from './parse-context.ts';
import { type DriverSchema, drivers } from './schema/drivers.ts';
import { type PipelineBody, pipelineBody, reportActions } from './schema/pipeline.ts';
import type { PipelineStanza } from './stanza.ts';
import type { RawStanza } from './yaml.ts';

const MERGE_CONFLICT =
  'Merge Failed.\n\nThis change, or one that it depends on, could not be merged with the current state of its ' +
  'repository. Please rebase the change and upload a new patch set.';

/** Reads a `pipeline` stanza and fills in every default. */
export function parsePipeline(stanza: RawStanza, context: ParseContext): PipelineStanza | undefined {
  const result = pipelineBody.safeParse(stanza.body, asking);
  if (!result.success) return refuse(stanza, context, result.error.issues);
  const body = result.data;
  const reader = new RuleReader(stanza, context);
  const rules = {
    triggers: reader.read(body, 'trigger', 'trigger'),
    require: reader.read(body, 'require', 'requirement'),
    reject: reader.read(body, 'reject', 'requirement'),
    reporters: reporters(body, reader),
  };
  if (!reader.sound) return undefined;
  if (body['allow-parameters']) {
    const message = `pipeline "${body.name}": allow-parameters has no effect: nothing is enqueued with parameters`;
    context.report('warning', stanza.marks['allow-parameters'] ?? stanza.offset, message);
  }
  return {
    name: body.name,
    origin: context.origin,
    offset: stanza.offset,
    marks: stanza.marks,
    pipeline: { ...plainAttributes(body), ...rules },
    allowParameters: body['allow-parameters'] ?? false,
    connections: [...reader.connections],
  };
}

function plainAttributes(body: PipelineBody): Omit<Pipeline, 'triggers' | 'require' | 'reject' | 'reporters'> {
  const limit = body['disable-after-consecutive-failures'];
  return {
    name: body.name,
    manager: body.manager,
    ...(body.description !== undefined && { description: body.description }),
    precedence: body.precedence ?? 'normal',
    postReview: body['post-review'] ?? false,
    ...(body.reuse === 'builds' && { reuse: body.reuse }),
    supercedes: body.supercedes ?? [],
    dequeueOnNewPatchset: body['dequeue-on-new-patchset'] ?? true,
    ignoreDependencies: body['ignore-dependencies'] ?? false,
    allowOtherConnections: body['allow-other-connections'] ?? true,
    ...(limit !== undefined && { disableAfterConsecutiveFailures: limit }),
    window: {
      size: body.window ?? 20,
      floor: body['window-floor'] ?? 3,
      ceiling: body['window-ceiling'] ?? null,
      increaseType: body['window-increase-type'] ?? 'linear',
      increaseFactor: body['window-increase-factor'] ?? 1,
      decreaseType: body['window-decrease-type'] ?? 'exponential',
      decreaseFactor: body['window-decrease-factor'] ?? 2,
    },
    messages: messages(body),
  };
}

function messages(body: PipelineBody): Record<MessageKey, string> {
  return {
    enqueue: body['enqueue-message'] ?? '',
    start: body['start-message'] ?? 'Starting {pipeline.name} jobs.',
    success: body['success-message'] ?? 'Build succeeded.',
    failure: body['failure-message'] ?? 'Build failed.',
    'merge-conflict': body['merge-conflict-message'] ?? MERGE_CONFLICT,
    'no-jobs': body['no-jobs-message'] ?? '',
    dequeue: body['dequeue-message'] ?? 'Build canceled.',
    footer: body['footer-message'] ?? '',
  };
}

/** Conflicts and configuration errors are reported as failures unless they have reporters of their own. */
function reporters(body: PipelineBody, reader: RuleReader): Record<ReportAction, readonly ConnectionRule[]> {
  const read = {} as Record<ReportAction, readonly ConnectionRule[]>;
  for (const action of reportActions) read[action] = reader.read(body, action, 'reporter');
  for (const action of ['merge-conflict', 'config-error'] as const) {
    if (read[action].length === 0) read[action] = read.failure;
  }
  return read;
}

type RuleKey = 'trigger' | 'require' | 'reject' | ReportAction;

/** Reads the rules of a pipeline and checks each by its driver; a connection of an unknown driver is taken as it is. */
class RuleReader {
  sound = true;
  readonly connections = new Set<string>();
  readonly #stanza: RawStanza;
  readonly #context: ParseContext;

  constructor(stanza: RawStanza, context: ParseContext) {
    this.#stanza = stanza;
    this.#context = context;
  }

  read(body: PipelineBody, key: RuleKey, part: keyof DriverSchema): ConnectionRule[] {
    return Object.entries(body[key] ?? {}).flatMap(([connection, written]) => {
      this.connections.add(connection);
      const bodies = Array.isArray(written) ? written : [written];
      const path = [key, connection];
      return bodies.map((rule, index) => ({
        connection,
        body: this.#check(rule ?? {}, part, Array.isArray(written) ? [...path, index] : path),
      }));
    });
  }

  #check(rule: unknown, part: keyof DriverSchema, path: (string | number)[]): Record<string, unknown> {
    const driver = this.#context.drivers(String(path[1]));
    if (Object.hasOwn(drivers, driver)) {
      const schema = drivers[driver]?.[part];
      if (schema === undefined) return this.#fault(path, `driver "${driver}" has no ${part}`);
      const result = schema.safeParse(rule, asking);
      if (!result.success) {
        reportFaults(this.#stanza, faultsOf(this.#stanza, result.error.issues, path), this.#context.report);
        this.sound = false;
      }
    }
    if (typeof rule === 'object' && rule !== null && !Array.isArray(rule)) return rule as Record<string, unknown>;
    return this.sound ? this.#fault(path, 'expected a map') : {};
  }

  #fault(path: (string | number)[], message: string): Record<string, unknown> {
    this.sound = false;
    const fault = { offset: this.#stanza.locate(path), message: `${path.join('.')}: ${message}` };
    reportFaults(this.#stanza, [fault], this.#context.report);
    return {};
  }
}
