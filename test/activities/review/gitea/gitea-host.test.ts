import { testReviewHost } from '../contract.ts';
import { gitea, useGitea } from './site.ts';
import { openWorld } from './world.ts';

if (gitea !== null) {
  const site = useGitea();
  testReviewHost('Gitea', (t) => openWorld(t, site()));
}
