// Keeps the files of the page, so that it works without a network after it was loaded once.

interface Files { version: string; files: string[] }
interface Waiting extends Event { waitUntil: (done: Promise<unknown>) => void }
interface Fetching extends Event { request: Request; respondWith: (response: Promise<Response>) => void }

async function keepFiles(): Promise<void> {
  const { version, files } = (await (await fetch("files.json", { cache: "no-cache" })).json()) as Files;
  const kept = await caches.open(version);
  await kept.addAll(files.map((file) => new Request(file, { cache: "no-cache" })));
  for (const name of await caches.keys()) if (name !== version) await caches.delete(name);
}

addEventListener("install", (event) => (event as Waiting).waitUntil(keepFiles()));
addEventListener("fetch", (event) => {
  const { request, respondWith } = event as Fetching;
  if (request.method !== "GET") return;
  respondWith.call(event, caches.match(request, { ignoreSearch: true }).then((found) => found ?? fetch(request)));
});
