import { parse, parseDocument, YAMLMap } from 'yaml';
import { approval } from '../../pipelines/policy/veto.ts';
import type { ConnectionSettings, GitSettings } from '../review/settings.ts';

type Rules = Readonly<Record<string, unknown>>;

export interface ReviewRulesInput {
  /** The shipped pipelines, with the rules of the built-in host under `git`. */
  readonly text: string;
  readonly connections: Readonly<Record<string, ConnectionSettings>>;
  /** Texts by driver: for each pipeline its rules under the keys of a pipeline. */
  readonly rules: Readonly<Record<string, string>>;
}

/** The keys of a pipeline whose values are rules by connection. */
const keys = ['trigger', 'require', 'reject', 'start', 'success', 'failure'] as const;
type Key = (typeof keys)[number];

/**
 * The shipped pipelines with rules for every connection of the installation, under its name: the built-in host's go to
 * each connection that is one, the others have rules for each driver.
 */
export function reviewRules({ text, connections, rules }: ReviewRulesInput): string {
  const entries = Object.entries(connections);
  const { git } = connections;
  if (entries.length === 1 && git?.driver === 'git' && git.approve === undefined) return text;
  const parsed = new Map(Object.entries(rules).map(([driver, own]) => [driver, parse(own) as Record<string, Rules>]));
  const document = parseDocument(text);
  for (const [index] of (document.toJS() as readonly unknown[]).entries()) {
    const at = [index, 'pipeline'];
    const name = String(document.getIn([...at, 'name']));
    const ruleOf = (settings: ConnectionSettings, key: Key, own: unknown) =>
      settings.driver === 'git'
        ? agreed(own, settings, key)
        : rulesOf(settings, parsed.get(settings.driver)?.[name])[key];
    for (const key of keys) {
      const rules = [...at, key];
      const own = asPlain(document.getIn([...rules, 'git']));
      if (own !== undefined) document.deleteIn([...rules, 'git']);
      for (const [connection, settings] of entries) {
        const rule = ruleOf(settings, key, own);
        if (rule !== undefined) document.setIn([...rules, connection], document.createNode(rule));
      }
      const left = document.getIn(rules);
      if (left instanceof YAMLMap && left.items.length === 0) document.deleteIn(rules);
    }
  }
  return String(document);
}

function asPlain(node: unknown): unknown {
  return node instanceof Object && 'toJSON' in node ? (node as { toJSON(): unknown }).toJSON() : (node ?? undefined);
}

/** A driver's rules for one connection: an App gives check runs, and an agreed label approves. */
function rulesOf(settings: Exclude<ConnectionSettings, { driver: 'git' }>, rules: Rules = {}): Rules {
  const approved = 'approve' in settings && rules.require !== undefined ? withLabel(settings, rules) : rules;
  if (settings.driver !== 'github' || settings.app === undefined) return approved;
  const checks = { pending: 'in_progress', success: 'success', failure: 'failure' } as const;
  const asCheck = ({ status, ...body }: Rules) =>
    status === undefined ? body : { check: checks[status as keyof typeof checks], ...body };
  const reports = ['start', 'success', 'failure'].filter((key) => approved[key] !== undefined);
  return { ...approved, ...Object.fromEntries(reports.map((key) => [key, asCheck(approved[key] as Rules)])) };
}

/** Plain Git's rules of one key for one connection: votes on its own label stand where those on `Approved` do. */
function agreed(own: unknown, { approve }: GitSettings, key: Key): unknown {
  if (approve === undefined || !Array.isArray(own)) return own;
  const { label, value = 1 } = approve;
  return (own as readonly Rules[]).map(({ approval: votes, ...rest }) => {
    const asked = votes === undefined ? undefined : (votes as readonly Rules[])[0]?.[approval];
    if (asked === undefined) return votes === undefined ? rest : { ...rest, approval: votes };
    if (key === 'require') return { ...rest, approval: [{ [label]: `>=${value}` }] };
    if (key === 'reject') return { ...rest, approval: [{ [label]: '<=-1' }] };
    // A trigger knows no least value: the requirement does.
    return asked === 0 ? { ...rest, approval: [{ [label]: 0 }] } : { ...rest, voted: true };
  });
}

type Approvable = Exclude<ConnectionSettings, { driver: 'git' }>;

/** The label says what else approvals would, of the patch set that it was given to. */
function withLabel({ driver, approve }: Approvable, rules: Rules): Rules {
  if (approve === undefined) return rules;
  const { label, value = 1 } = approve;
  const [{ review: _review, approved: _approved, ...require }] = rules.require as [Rules];
  if (driver !== 'gerrit') {
    const trigger = [...(rules.trigger as readonly Rules[]), { ...labelled(driver, label), action: 'labeled' }];
    return { ...rules, trigger, require: [{ ...require, 'current-labels': label }] };
  }
  return {
    ...rules,
    require: [{ ...require, approval: [{ [label]: `>=${value}` }] }],
    reject: [{ approval: [{ [label]: '<=-1' }] }],
  };
}

/** What tells of a label, as each driver's triggers have it. */
function labelled(driver: Exclude<Approvable['driver'], 'gerrit'>, label: string): Rules {
  switch (driver) {
    case 'github':
      return { event: 'pull_request', label };
    case 'gitlab':
      return { event: 'gl_merge_request', labels: label };
    case 'gitea':
      return { event: 'gitea_pull_request', labels: label };
  }
}
