"use strict";
// Keeps the files of the page, so that it works without a network after it was loaded once.
async function keepFiles() {
    const { version, files } = (await (await fetch("files.json", { cache: "no-cache" })).json());
    const kept = await caches.open(version);
    await kept.addAll(files.map((file) => new Request(file, { cache: "no-cache" })));
    for (const name of await caches.keys())
        if (name !== version)
            await caches.delete(name);
}
addEventListener("install", (event) => event.waitUntil(keepFiles()));
addEventListener("fetch", (event) => {
    const { request, respondWith } = event;
    if (request.method !== "GET")
        return;
    respondWith.call(event, caches.match(request, { ignoreSearch: true }).then((found) => found ?? fetch(request)));
});
