import type { PackageFormat } from '../../../pipelines/model/artifact.ts';
import { aptNode } from './deb.ts';
import type { PackageManager } from './port.ts';
import { dnfNode } from './rpm.ts';

export const packageManagers: Readonly<Record<PackageFormat, PackageManager>> = { deb: aptNode, rpm: dnfNode };
