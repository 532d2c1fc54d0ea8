import { repositoryFormats } from '../../../activities/repository/formats.ts';
import { publishPackages } from '../../../activities/repository/publish.ts';

/** Publishes a package in a process of its own, so that it can be killed. */
const [, , dir = '', file = ''] = process.argv;
const request = { dir, files: [file], settings: { codename: 'test' }, date: new Date(), keepFormer: 0 };
await publishPackages(repositoryFormats.deb, request);
