const project = '/projects/{project}';
const request = `${project}/merge_requests/{iid}`;

/** What the server answers, and the types by which GitLab's own client describes what is asked and answered. */
export interface Operation {
  readonly method: string;
  readonly path: string;
  /** Of the query, or of the body. */
  readonly options?: string;
  readonly answer: string;
  readonly status: number;
}

type Row = readonly [method: string, path: string, answer: string, options?: string | undefined, status?: number];

const rows: readonly Row[] = [
  ['GET', '/version', 'Version'],
  ['GET', '/user', 'User'],
  ['GET', '/personal_access_tokens/self', 'PersonalAccessToken'],
  ['GET', '/projects', '[]Project', 'ListProjectsOptions'],
  ['GET', project, 'Project'],
  ['GET', `${project}/repository/branches`, '[]Branch', 'ListBranchesOptions'],
  ['GET', `${project}/repository/branches/{branch}`, 'Branch'],
  ['GET', `${project}/repository/tags`, '[]Tag', 'ListTagsOptions'],
  ['GET', `${project}/repository/commits/{sha}/statuses`, '[]CommitStatus', 'GetCommitStatusesOptions'],
  ['POST', `${project}/statuses/{sha}`, 'CommitStatus', 'SetCommitStatusOptions', 201],
  ['GET', `${project}/labels`, '[]Label', 'ListLabelsOptions'],
  ['GET', `${project}/hooks`, '[]ProjectHook', 'ListProjectHooksOptions'],
  ['GET', '/groups/{group}/hooks', '[]GroupHook', 'ListGroupHooksOptions'],
  ['GET', `${project}/merge_requests`, '[]BasicMergeRequest', 'ListProjectMergeRequestsOptions'],
  ['GET', request, 'MergeRequest'],
  ['PUT', request, 'MergeRequest', 'UpdateMergeRequestOptions'],
  ['PUT', `${request}/merge`, 'MergeRequest', 'AcceptMergeRequestOptions'],
  ['GET', `${request}/versions`, '[]MergeRequestDiffVersion', 'GetMergeRequestDiffVersionsOptions'],
  ['GET', `${request}/diffs`, '[]MergeRequestDiff', 'ListMergeRequestDiffsOptions'],
  ['GET', `${request}/approvals`, 'MergeRequestApprovals'],
  ['POST', `${request}/approve`, 'MergeRequestApprovals', 'ApproveMergeRequestOptions', 201],
  ['POST', `${request}/unapprove`, 'MergeRequestApprovals', undefined, 201],
  ['GET', `${request}/reviewers`, '[]MergeRequestReviewer'],
  ['GET', `${request}/notes`, '[]Note', 'ListMergeRequestNotesOptions'],
  ['POST', `${request}/notes`, 'Note', 'CreateMergeRequestNoteOptions', 201],
  ['PUT', `${request}/notes/{note}`, 'Note', 'UpdateMergeRequestNoteOptions'],
  ['GET', `${request}/resource_label_events`, '[]LabelEvent', 'ListLabelEventsOptions'],
  ['GET', `${request}/resource_state_events`, '[]StateEvent', 'ListStateEventsOptions'],
];

export const operations: readonly Operation[] = rows.map(([method, path, answer, options, status = 200]) => ({
  ...{ method, path, answer, status },
  ...(options === undefined ? {} : { options }),
}));
