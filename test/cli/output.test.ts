import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { paint, shown, worded } from '../../cli/output.ts';

const rows: readonly (readonly [says: string, text: string, colours: boolean, expected: string])[] = [
  ['lines and tabs', 'one\n\ttwo\n', false, 'one\n\ttwo\n'],
  ['a line that begins like a colour', 'one\n[1m', false, 'one\n[1m'],
  ['colours where they are shown', '\u001b[1mbold\u001b[22m', true, '\u001b[1mbold\u001b[22m'],
  ['colours where none are shown', '\u001b[31mred', false, '\ufffd[31mred'],
  ['what moves the cursor', 'a\u001b[2Jb\rc\bd', true, 'a\ufffd[2Jb\ufffdc\ufffdd'],
  ['what turns the order', 'a\u202egpj.exe\u2066', true, 'a\ufffdgpj.exe\ufffd'],
  ['a title, and its end', '\u001b]0;title\u0007', true, '\ufffd]0;title\ufffd'],
  ['the eight-bit forms', '\u009b31mx', true, '\ufffd31mx'],
  ['other scripts', 'Grüße 🦆', false, 'Grüße 🦆'],
];

for (const [says, text, colours, expected] of rows) {
  test(`on a terminal: ${says}`, () => assert.equal(shown(text, colours), expected));
}

/** Shows colours for one test, or none. */
function showColours(t: TestContext, shows: boolean) {
  const { NO_COLOR, FORCE_COLOR } = process.env;
  const put = (wanted: Readonly<Record<string, string | undefined>>) => {
    for (const [name, value] of Object.entries(wanted))
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
  };
  put(shows ? { NO_COLOR: undefined, FORCE_COLOR: '1' } : { NO_COLOR: '1', FORCE_COLOR: undefined });
  t.after(() => put({ NO_COLOR, FORCE_COLOR }));
}

test('code in a sentence is bold where there are colours, and what comes after it is as before', (t) => {
  showColours(t, true);
  const [dim, bold, end] = ['\u001b[2m', '\u001b[1m', '\u001b[22m'];
  assert.equal(paint('dim', worded('see `x` there')), `${dim}see ${bold}x${end}${dim} there${end}`);
});

test('code in a sentence is in quotes where there are no colours, and other backticks stay', (t) => {
  showColours(t, false);
  assert.equal(worded('Run `git push`, then `git log`.'), "Run 'git push', then 'git log'.");
  assert.equal(worded('a ` b\nc ` and no more'), 'a ` b\nc ` and no more');
});
