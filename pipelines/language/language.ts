/** The configuration language: what other folders use of it. */
export { isConfigPath } from './config-path.ts';
export { type FreezeInput, type FreezeResult, freezeJobs } from './freeze/freeze.ts';
export { buildLayout, type Layout, layoutPipelines, semaphores } from './layout.ts';
export { withoutUnused } from './offered.ts';
export { type ParsedFile, parseConfigFile } from './parse-file.ts';
export { Pattern } from './pattern.ts';
export { placement, projectSettings } from './placement.ts';
export { type ConfigSource, problemText, problemTextAnywhere } from './source.ts';
export { type ChangedFiles, speculativeLayout } from './speculative.ts';
export { defaultTenant, type ProjectSource, type TenantSettings } from './tenant.ts';
export { tenantKeys, tenantSettings } from './tenant-file.ts';
