/** A line that protects, and what its absence would be. */
export interface Mutation {
  readonly off: string;
  readonly file: string;
  readonly from: string;
  readonly to: string;
  /** The directed story that fails then, by the beginning of its name, and what its rule says. */
  readonly story: string;
  readonly says: RegExp;
}

/** What is switched off in a copy of `workflows/`, one by one: the stories must notice. The README has the same table. */
export const mutations: readonly Mutation[] = [
  {
    off: 'the ledger of messages',
    file: 'gate-book.ts',
    from: 'if (before) return before;',
    to: '',
    story: 'R15: a message whose sender repeats it',
    says: /was enqueued 1 times and reported as/,
  },
  {
    off: "the order of a build set's words",
    file: 'gate-line.ts',
    from: '(this.inOrder && this.#open > 0)',
    to: 'false',
    story: 'R15: a word of a build set that is held up',
    says: /is open for ever/,
  },
  {
    off: "the order of a gate's words",
    file: 'gate-build-sets.ts',
    from: 'return this.#ways.ordered && this.#isBusy(workflow);',
    to: 'return false;',
    story: 'R15: a build set that is closed while it is being started',
    says: /the sweep had to mend/,
  },
  {
    off: 'keeping a retrigger while another word is on its way',
    file: 'gate-build-sets.ts',
    from: 'if (!entry) return false;\n',
    to: 'if (!entry) return false;\n    if (this.#mustWait(entry.workflow)) return true;\n',
    story: 'R15: jobs that are to run again',
    says: /b,1.* is open for ever/,
  },
  {
    off: 'holding the verdict until a retrigger has arrived',
    file: 'gate-build-sets.ts',
    from: 'const answers = this.#ways.holds ?',
    to: 'const answers = this.#ways.holds && false ?',
    story: 'R15: a job that is to run again runs again',
    says: /a retrigger of build of a was answered with ok, and nothing ran before its verdict/,
  },
  {
    off: 'asking the gate before a job runs again whose build set has ended',
    file: 'build-set-requests.ts',
    from: 'return edition >= 3 && ',
    to: 'return edition >= 9 && ',
    story: 'R15: a job is run again at its build set while the gate judges',
    says: /a retrigger of build of a was answered with ok, and nothing ran before its verdict/,
  },
  {
    off: 'looking at the input of a job by hand',
    file: 'build-set-requests.ts',
    from: ' ?? jobs.refuseAdoption(report)',
    to: '',
    story: 'R2: a job that is started by hand with an edited input',
    says: /was merged as .*, and build never passed on that/,
  },
  {
    off: 'keeping what was provided ahead when it has merged',
    file: 'gate.ts',
    from: "keepsMerged: has('gate-keeps-merged')",
    to: 'keepsMerged: false',
    story: 'R2: a job that begins after a change ahead has merged',
    says: /was merged as .*, and test never passed on that/,
  },
  {
    off: 'taking a semaphore when the nodes are there',
    file: 'job-semaphores.ts',
    from: '? { beforeNodes, afterNodes }',
    to: '? { beforeNodes, afterNodes: [] }',
    story: 'I10: jobs that take a mutex when their nodes are there',
    says: /build of b ran beside a's/,
  },
  {
    off: 'giving up a change that cannot be merged',
    file: 'gate-budget.ts',
    from: 'submit: { refused: { tries: 30,',
    to: 'submit: { refused: { tries: Infinity,',
    story: 'R5: a change that cannot be merged',
    says: /is open for ever/,
  },
];
