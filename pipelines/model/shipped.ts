/** The project whose configuration ships with Sluice: pipelines, jobs and templates for packages. */
export const shippedProject = 'sluice/defaults';
