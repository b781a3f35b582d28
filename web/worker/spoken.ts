// What was said, as the items of an alignment graph: asr/alignment/spoken.py.

/** How what the user types becomes phones of the model, as asr/serve/web_alignment.py writes it. */
interface Symbols {
  /** The phone that each known symbol is; null for one that is dropped. */
  symbols: Record<string, number | null>;
  /** Whether letter case and stress digits of symbols matter. */
  exact: boolean;
  /** The phones that are silences, and what people write for a silence and where there may be one. */
  silences: number[];
  silent: string[];
  perhapsSilent: string[];
  /** How each phone of the lexicon may be transcribed; null without a lexicon. */
  variants: Record<string, Item[][]> | null;
}

/** `words` has the word of each item, null for a silence or where phones were given. */
interface Spoken { items: Item[]; words: (string | null)[] }

function optionalSilence(silences: number[]): Item[] {
  return silences.length ? [[...silences.map((silence): Item[] => [silence]), []]] : [];
}

/** Phones and silences as people and other programs write them. */
function spokenPhones(text: string, known: Symbols): Spoken {
  const phones = new Map(Object.entries(known.symbols));
  const optional = optionalSilence(known.silences);
  const items: Item[] = [];
  let speech = false, pause = true; // whether the last item is a phone in which somebody speaks, and a pause may follow it
  for (const item of text.split(/\s+/).filter(Boolean).flatMap((symbol) => itemsOf(symbol, known, phones))) {
    if (item === null) {
      pause = true;
      continue;
    }
    const spoken = typeof item === "number" && !known.silences.includes(item);
    if (pause && spoken && (speech || !items.length)) items.push(...optional);
    items.push(item);
    [speech, pause] = [spoken, false];
  }
  if (!items.length) throw new Error("the transcript has no phones");
  if (speech) items.push(...optional);
  return { items, words: items.map(() => null) };
}

/** Phones and silences; null for an optional silence. */
function itemsOf(symbol: string, known: Symbols, phones: Map<string, number | null>): (Item | null)[] {
  const plain = known.exact ? symbol : symbol.toLowerCase();
  const written = [symbol, ...(known.exact ? [] : [plain, plain.replace(/[0-2]$/, "")])].find((each) => phones.has(each));
  if (written !== undefined) {
    const phone = phones.get(written) ?? null;
    return phone === null ? [] : [phone];
  }
  if (known.silent.includes(plain) && known.silences.length) return [known.silences.map((silence) => [silence])];
  if (known.silent.includes(plain) || known.perhapsSilent.includes(plain)) return [null];
  throw new Error(`unknown phone ${symbol}: the model does not have it`);
}

/** The words of a text, each in any of its pronunciations, with optional silences around them. */
function spokenWords(text: string, lexicon: Lexicon, known: Symbols): Spoken {
  const { words, unknown } = splitWords(text, lexicon);
  if (unknown.length) throw new Error(`not in the lexicon: ${[...new Set(unknown)].join(", ")}; give phones instead of words`);
  if (!words.length) throw new Error("the transcript has no words");
  const pause = optionalSilence(known.silences);
  const spoken: Spoken = { items: [...pause], words: pause.map(() => null) };
  for (const word of words) {
    const [name, pronunciations] = entry(word, lexicon);
    spoken.items.push(pronunciations.map((phones) => phones.map((phone): Item => known.variants![phone]!)), ...pause);
    spoken.words.push(name, ...pause.map(() => null));
  }
  return spoken;
}
