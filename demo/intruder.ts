import type { Change } from '../pipelines/model/change.ts';
import { story } from './changes.ts';
import { changeId } from './developer.ts';
import type { Outcome } from './narrator.ts';
import type { Scene } from './scene.ts';

/** Somebody whom nobody has approved tries to have his own work released: by its configuration, then by hand. */
export async function refuseIntruders(scene: Scene): Promise<Outcome> {
  const before = (await released(scene)).length;
  const sly = await scene.observer.change(await scene.developer.push(story.intruder));
  const answer = await scene.developer.answer(sly, /configuration of this change/);
  const refusal = lineWith(answer, 'releases packages');
  scene.narrator.say(`by its configuration: ${refusal}`);
  const open = await scene.observer.change(changeId(story.goodChange.id));
  const byHand = await enqueueByHand(scene, open);
  scene.narrator.say(`by hand: ${byHand}`);
  const after = (await released(scene)).length;
  if (after !== before) throw new Error(`${after - before} releases came of changes that nobody has approved`);
  return {
    url: `${scene.url}/change/${encodeURIComponent(sly.id)}`,
    reason: `its configuration is refused by the rights of jobs; by hand it is ${byHand}`,
  };
}

async function enqueueByHand({ sluice, observer }: Scene, change: Change): Promise<string> {
  await sluice('enqueue', '--pipeline', 'post', '--change', change.id);
  const { builds } = await observer.verdict(change, 'post');
  const passed = builds.find(({ summary }) => !summary.startsWith('refused by the release stage: '));
  if (passed) throw new Error(`${passed.job} of an open change: ${passed.result}: ${passed.summary}`);
  const [first] = builds;
  if (first === undefined) throw new Error('no job was tried');
  return first.summary;
}

function released({ observer }: Scene) {
  return observer.until('the releases', ({ releases }) => releases);
}

function lineWith(text: string, words: string): string {
  const line = text.split('\n').find((each) => each.includes(words));
  if (line === undefined) throw new Error(`the answer to the change does not say why: ${text}`);
  return line.trim();
}
