/** The configuration language: what other folders use of it. */
export { isConfigPath } from './config-path.ts';
export { type FreezeChange, type FreezeInput, type FreezeResult, freezeJobs } from './freeze/freeze.ts';
export { buildLayout, type Layout, type LayoutInput, layoutPipelines, semaphores } from './layout.ts';
export { type ParsedFile, parseConfigFile } from './parse-file.ts';
export { Pattern } from './pattern.ts';
export { type ProjectSettings, placement, projectSettings, projectsOf } from './placement.ts';
export { type ConfigSource, problemText } from './source.ts';
export { type ChangedFiles, type SpeculativeLayout, speculativeLayout } from './speculative.ts';
export { defaultTenant, type ObjectClass, objectClasses, type ProjectSource, type TenantSettings } from './tenant.ts';
