// The phone n-gram as the prefix beam search reads it: asr/decoding/search/phone_prior.py, but each history's row only
// when the search first comes to it.

const SENTENCE_START = "<s>", SENTENCE_END = "</s>", IMPOSSIBLE = -99;

/** An n-gram over symbols, which are phones or phones that begin a word. Histories are numbers. */
class Ngram {
  /** The phone of each symbol. */
  readonly phones: Int32Array;
  readonly start: number;
  private readonly columns: Map<string, number>;
  private readonly width: number;
  /** The number of the n-gram that each n-gram and a symbol make; 0 is the empty one. */
  private readonly longer = new Map<number, number>();
  /** Each n-gram without its last symbol, and that symbol. */
  private readonly parents: number[] = [-1];
  private readonly last: number[] = [-1];
  private readonly logs: number[] = [NaN];
  private readonly backoffs: number[] = [0];
  private readonly isHistory: boolean[] = [true];
  private readonly rows = new Map<number, Row>();

  constructor(lines: string[], phones: string[], wordStart: string) {
    const phoneOf = (symbol: string): number => phones.indexOf(symbol.endsWith(wordStart) ? symbol.slice(0, -wordStart.length) : symbol);
    const listed = [...ngramLines(lines)];
    const symbols = listed.filter(({ words }) => words.length === 1).map(({ words }) => words[0]!)
      .filter((symbol) => phoneOf(symbol) >= 0).sort();
    this.phones = Int32Array.from(symbols, phoneOf);
    this.columns = new Map([...symbols, SENTENCE_END, SENTENCE_START].map((symbol, column) => [symbol, column]));
    this.width = this.columns.size;
    this.start = this.number([this.width - 1]);
    this.isHistory[this.start] = true;
    for (const { log, words, backoff } of listed) this.add(log, words, backoff);
  }

  /** The natural logs of each symbol and, last, of the end after a history. */
  logsAfter(history: number): Float64Array { return this.row(history).logs; }

  /** The history that follows when each symbol is added. */
  following(history: number): Int32Array { return this.row(history).following; }

  private add(log: number, words: string[], backoff: number | null): void {
    const parts = words.map((word) => this.columns.get(word) ?? -1);
    if (parts.includes(-1)) return;
    const own = this.number(parts);
    if (backoff !== null) this.backoffs[own] = backoff;
    if (parts[parts.length - 1] === this.width - 1) return;
    this.logs[own] = log;
    for (let length = parts.length - 1; length > 0; length--) {
      const history = this.number(parts.slice(0, length));
      if (this.isHistory[history]) break;
      this.isHistory[history] = true;
    }
  }

  private number(parts: number[]): number {
    let found = 0;
    for (const part of parts) {
      const key = found * this.width + part;
      let next = this.longer.get(key);
      if (next === undefined) {
        this.parents.push(found);
        next = this.last.push(part) - 1;
        this.logs.push(NaN);
        this.backoffs.push(0);
        this.isHistory.push(false);
        this.longer.set(key, next);
      }
      found = next;
    }
    return found;
  }

  private row(history: number): Row {
    let row = this.rows.get(history);
    if (row === undefined) this.rows.set(history, row = this.newRow(history));
    return row;
  }

  private newRow(history: number): Row {
    const symbols = this.phones.length;
    const row: Row = { logs: new Float64Array(symbols + 1).fill(-Infinity), following: new Int32Array(symbols) };
    if (history) {
      const { shorter, backoff } = this.shorter(history);
      const below = this.row(shorter);
      for (let column = 0; column <= symbols; column++) row.logs[column] = backoff + below.logs[column]!;
      row.following.set(below.following);
    }
    for (let column = 0; column <= symbols; column++) {
      const longer = this.longer.get(history * this.width + column);
      if (longer === undefined) continue;
      if (!Number.isNaN(this.logs[longer]!)) row.logs[column] = this.logs[longer]!;
      if (this.isHistory[longer]) row.following[column] = longer;
    }
    return row;
  }

  /** The longest shorter history, and the log weight of backing off to it. */
  private shorter(history: number): { shorter: number; backoff: number } {
    let parts: number[] = [], backoff = this.backoffs[history]!;
    for (let at = history; at > 0; at = this.parents[at]!) parts.unshift(this.last[at]!);
    parts = parts.slice(1);
    for (;;) {
      const shorter = this.find(parts);
      if (shorter !== undefined && this.isHistory[shorter]) return { shorter, backoff };
      backoff += shorter === undefined ? 0 : this.backoffs[shorter]!;
      parts = parts.slice(1);
    }
  }

  private find(parts: number[]): number | undefined {
    let found: number | undefined = 0;
    for (const part of parts) if (found !== undefined) found = this.longer.get(found * this.width + part);
    return found;
  }
}

interface Row { logs: Float64Array; following: Int32Array }

interface NgramLine { log: number; words: string[]; backoff: number | null }

/** The n-grams of ARPA text, with natural logarithms. */
function* ngramLines(lines: string[]): Generator<NgramLine> {
  let order = 0;
  for (const line of lines) {
    const section = /^\\(\d+)-grams:/.exec(line);
    if (section) order = Number(section[1]);
    if (section || order === 0 || line.startsWith("\\") || !line.trim()) continue;
    const fields = line.trim().split(/\s+/);
    const log = Number(fields[0]);
    yield {
      log: log <= IMPOSSIBLE ? -Infinity : log * Math.LN10,
      words: fields.slice(1, order + 1),
      backoff: fields.length > order + 1 ? Number(fields[order + 1]) * Math.LN10 : null,
    };
  }
}
