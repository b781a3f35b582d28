// The words of a text as people write it: asr/phones/words.py, without HTML entities; and their pronunciations.

/** Words with their pronunciations, in the form of the file: phones between spaces, pronunciations between commas. */
type Lexicon = Map<string, string>;

function readLexicon(text: string): Lexicon {
  const lexicon: Lexicon = new Map();
  for (const line of text.split("\n")) {
    const space = line.indexOf(" ");
    if (space > 0) lexicon.set(line.slice(0, space), line.slice(space + 1));
  }
  return lexicon;
}

/** A word of the lexicon with its pronunciations. A full stop may end an abbreviation (in.) or the sentence (in). */
function entry(word: string, lexicon: Lexicon): [string, string[][]] {
  const plain = word.replace(/\.$/, "");
  const names = plain !== word && lexicon.has(plain) ? [plain, word] : [word];
  const said = new Set(names.flatMap((name) => lexicon.get(name)?.split(",") ?? []));
  return [names[0]!, [...said].map((phones) => phones.split(" "))];
}

const EVENT =
  "[(*]\\s*(?:laugh(?:s|ing|ter|ed)?|chuckl(?:es?|ing|ed)|giggl(?:es?|ing)|cough(?:s|ing|ed)?|sneez(?:es?|ing)|" +
  "sigh(?:s|ing|ed)?|sniff(?:s|les?|ing)?|breath(?:s|es?|ing)?|inhal(?:es?|ing)|exhal(?:es?|ing)|clears throat|" +
  "noises?|music|applause|clapping|silence|pauses?|crosstalk|inaudible|unintelligible|indistinct)\\s*[)*]";
const BRACKETS = "<(?=\\S)[^<>]*>|\\[[^\\[\\]]*\\]|\\{[^{}]*\\}";
const PIECE = new RegExp(`(${BRACKETS}|${EVENT})|(?:(?!${EVENT})[^\\s<\\[{])+|[<\\[{]`, "g");
/** What aligners write for words that they do not know; somebody says something there. */
const MISSING_WORDS = ["<unk>", "<oov>", "[unk]", "[oov]"];

/** The words of a text in the lexicon's spelling, and those that are not in it. */
function splitWords(text: string, lexicon: Lexicon): { words: string[]; unknown: string[] } {
  const words: string[] = [];
  for (const match of spelling(text).matchAll(PIECE)) {
    const token = match[0], note = match[1] !== undefined;
    if (note && !lexicon.has(token) && !MISSING_WORDS.includes(token)) continue;
    words.push(...(note ? [token] : wordsOf(token, lexicon)));
  }
  return { words, unknown: words.filter((word) => !lexicon.has(word)) };
}

/** Lower case, one kind of apostrophe, NFKC. */
function spelling(text: string): string {
  return text.replace(/\u200b/g, " ").replace(/[’‘ʼʻ`´′＇]/g, "'").replace(/[\u00ad\u200c\u200d\u2060\ufeff]/g, "")
    .toLowerCase().normalize("NFKC");
}

/** The words of a token; those that are not in the lexicon as the user may look for them. */
function wordsOf(token: string, lexicon: Lexicon): string[] {
  const bare = bareOf(token);
  if (!bare) return [];
  const found = formsOf(token, bare).find((word) => lexicon.has(word));
  if (found !== undefined) return [found];
  const parts = hasDigits(bare) ? [] : bare.split(/(?!['&%@#‰])[\p{P}|]/u).filter(bareOf);
  return parts.length > 1 ? parts.flatMap((part) => wordsOf(part, lexicon)) : [bare];
}

/** How the lexicon may have a token, the longest form first. */
function formsOf(token: string, bare: string): string[] {
  const start = token.indexOf(bare);
  const before = token[start - 1] ?? "", after = token[start + bare.length] ?? "";
  const lead = before === "'" ? "'" : "", trail = after === "'" || after === "." ? after : "";
  return [token, lead + bare + trail, lead + bare, bare + trail, bare];
}

/** A token without the punctuation around it; a minus before a number stays. */
function bareOf(token: string): string {
  const characters = [...token];
  const outside = (character: string): boolean => character === "'" || separates(character);
  const start = characters.findIndex((character) => !outside(character));
  if (start < 0) return "";
  let end = characters.length;
  while (outside(characters[end - 1]!)) end--;
  const negative = characters[start - 1] === "-" && hasDigits(characters[start]!);
  return characters.slice(negative ? start - 1 : start, end).join("");
}

function hasDigits(word: string): boolean {
  return /\p{N}/u.test(word);
}

/** Whether a character stands between words; the signs that are read out as words do not. */
function separates(character: string): boolean {
  return !"'&%@#‰".includes(character) && /[\p{P}|]/u.test(character);
}
