/** `- JOB RESULT in TIME: WHAT CAME OUT LOG`, as `item-report.ts` writes it, or a line to paste. */
const told = /^- (?<head>[\w.+/-]+(?: [\w ().-]+)?): (?<text>.+?)(?<log> https?:\/\/\S+)?$/;
const untold = /^- [\w.+/-]+(?: [\w ().-]+)?(?: https?:\/\/\S+)?$/;
/** `JOB: REMARK`. */
const remark = /^(?<head>[\w.+/-]+): (?<text>.+)$/;

/**
 * A report for hosts that take comments for Markdown. What jobs and configurations had to say is shown to the letter, as
 * code: it names nobody, leads nowhere and draws nothing (CommonMark 0.31, 6.1). A pipeline's own messages stay as they
 * were written.
 */
export function inMarkdown(report: string): string {
  const lines = report.split('\n');
  const heads = new Set(['Warning', ...lines.flatMap((line) => /^- ([\w.+/-]+)/.exec(line)?.slice(1) ?? [])]);
  return lines.map((line) => (line.startsWith('- ') ? item(line) : remarkOf(line, heads))).join('\n');
}

function item(line: string): string {
  const { head, text, log = '' } = told.exec(line)?.groups ?? {};
  if (head !== undefined && text !== undefined) return `- ${head}: ${asCode(text)}${log}`;
  return untold.test(line) ? line : `- ${asCode(line.slice(2))}`;
}

function remarkOf(line: string, heads: ReadonlySet<string>): string {
  const { head, text } = remark.exec(line)?.groups ?? {};
  return head !== undefined && text !== undefined && heads.has(head) ? `${head}: ${asCode(text)}` : line;
}

/** A text to the letter: as a code span, or of several lines as a fenced block (CommonMark 0.31, 4.5). */
export function asCode(text: string): string {
  const longest = Math.max(0, ...(text.match(/`+/g) ?? []).map((run) => run.length));
  if (text.includes('\n')) {
    const block = '`'.repeat(Math.max(longest + 1, 3));
    return `${block}\n${text}\n${block}`;
  }
  const fence = '`'.repeat(longest + 1);
  const space = /^`|`$/.test(text) ? ' ' : '';
  return `${fence}${space}${text}${space}${fence}`;
}
