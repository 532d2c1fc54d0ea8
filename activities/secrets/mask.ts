import type { BuildLog } from '../ports.ts';

/** What is shown instead of a secret. */
const shown = '[secret]';

/** Values and lines shorter than this, in characters, are not looked for: they are in every text. */
const shortest = 4;

/** Finds secrets in text. */
export interface Mask {
  /** The text without secrets. */
  text(value: string): string;
  /** The same for every text anywhere in plain data. */
  data<T>(value: T): T;
  /** A log that lets no secret through, also where one comes in several pieces; `end` writes what was held back. */
  log(log: BuildLog): BuildLog & { end(): void };
  /** Whether any secret has been found so far. */
  readonly found: boolean;
}

/** Looks for values as a whole, line by line, and as JSON writes them. */
export function createMask(values: readonly string[]): Mask {
  const lines = values.flatMap((value) => [value, ...value.split(/\r?\n/)]);
  const forms = lines.flatMap((line) => [line, JSON.stringify(line).slice(1, -1), line.trim()]);
  const wanted = [...new Set(forms)].filter((form) => form.length >= shortest).sort((a, b) => b.length - a.length);
  return new SecretMask(wanted);
}

class SecretMask implements Mask {
  found = false;
  /** Longest first. */
  readonly #wanted: readonly string[];
  readonly #pattern: RegExp;

  constructor(wanted: readonly string[]) {
    this.#wanted = wanted;
    this.#pattern = wanted.length === 0 ? /(?!)/g : new RegExp(wanted.map(literally).join('|'), 'g');
  }

  text(value: string): string {
    return this.#replace(value, true).done;
  }

  data<T>(value: T): T {
    if (typeof value === 'string') return this.text(value) as T;
    if (Array.isArray(value)) return value.map((inner) => this.data(inner)) as T;
    if (typeof value !== 'object' || value === null) return value;
    const entries = Object.entries(value).map(([key, inner]) => [this.text(key), this.data(inner)]);
    return Object.fromEntries(entries) as T;
  }

  log(log: BuildLog): BuildLog & { end(): void } {
    let held = '';
    const write = (text: string, last: boolean) => {
      const { done, rest } = this.#replace(held + text, last);
      held = rest;
      if (done !== '') log.write(done);
    };
    return {
      write: (text) => write(text, false),
      section: (title) => {
        write('', true);
        log.section(this.text(title));
      },
      end: () => write('', true),
      close: () => {
        write('', true);
        return log.close();
      },
    };
  }

  /** `rest` may be the beginning of a secret: it waits for what comes next, unless this is the `last`. */
  #replace(text: string, last: boolean): { readonly done: string; readonly rest: string } {
    let done = '';
    for (let from = 0; ; ) {
      this.#pattern.lastIndex = from;
      const hit = this.#pattern.exec(text);
      const open = last ? -1 : this.#beginningIn(text, from);
      if (open !== -1 && (hit === null || open <= hit.index)) {
        return { done: done + text.slice(from, open), rest: text.slice(open) };
      }
      if (hit === null) return { done: done + text.slice(from), rest: '' };
      this.found = true;
      done += text.slice(from, hit.index) + shown;
      from = hit.index + hit[0].length;
    }
  }

  /** Where, from `from` on, the rest of the text is the beginning of a secret; -1: nowhere. */
  #beginningIn(text: string, from: number): number {
    const longest = this.#wanted[0]?.length ?? 0;
    for (let at = Math.max(from, text.length - longest + 1); at < text.length; at++) {
      const rest = text.slice(at);
      if (this.#wanted.some((one) => one.length > rest.length && one.startsWith(rest))) return at;
    }
    return -1;
  }
}

function literally(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}
