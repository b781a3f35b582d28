// Elements of the page. Text from files is only ever set as text.

function element<K extends keyof HTMLElementTagNameMap>(
  tag: K, name = "", text = "", attributes: Record<string, string> = {},
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  if (name) made.className = name;
  if (text) made.textContent = text;
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

function byId<T extends HTMLElement = HTMLElement>(id: string): T {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no #${id}`);
  return found as T;
}

/** A message for the user; `wrong` where something failed. */
function say(text: string, wrong = false): void {
  const message = byId("message");
  message.textContent = wrong ? `⚠ ${text}` : text;
  message.classList.toggle("wrong", wrong);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function saveAs(content: Blob, name: string): void {
  const address = URL.createObjectURL(content);
  element("a", "", "", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
