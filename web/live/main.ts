// Ties what the user does to what the page shows.

const engine = document.documentElement.dataset["engine"] === "local" ? localEngine() : serverEngine();
let about: About | null = null;
const items: Item[] = [];
/** Recordings so far, for their names. */
let recorded = 0;
let recording: { microphone: Microphone; session: LiveSession; strip: LiveStrip } | null = null;
let working = 0;

/** Runs one action of the user; what goes wrong is shown. */
async function attempt(text: string, action: () => Promise<void>): Promise<void> {
  say(text);
  setWorking(1);
  try {
    await action();
  } catch (error) {
    say(messageOf(error), true);
  }
  setWorking(-1);
}

function setWorking(step: number): void {
  working += step;
  byId("view").setAttribute("aria-busy", String(working > 0));
  showControls();
}

function showControls(): void {
  const ready = about !== null;
  const known = current?.transcript != null;
  byId<HTMLButtonElement>("record").disabled = !ready || (working > 0 && !recording);
  byId<HTMLButtonElement>("open").disabled = !ready || recording !== null;
  byId<HTMLButtonElement>("align").disabled = !current || working > 0 || recording !== null;
  for (const id of ["play", "png"]) byId<HTMLButtonElement>(id).disabled = !current || recording !== null;
  for (const id of ["textgrid", "json", "csv", "elan"]) byId<HTMLButtonElement>(id).disabled = !known || recording !== null;
  byId<HTMLButtonElement>("png").disabled = !known || recording !== null;
  byId<HTMLButtonElement>("undo").disabled = !current?.undo.length;
  byId("view").hidden = !current && !recording;
  byId("empty").hidden = current !== null || recording !== null;
  byId("record").textContent = recording ? "■ Stop" : "● Record";
  byId("record").classList.toggle("on", recording !== null);
}

function showList(): void {
  const list = byId<HTMLSelectElement>("items");
  list.replaceChildren(...items.map((item, at) => {
    const option = element("option", "", item.name, { value: String(at) });
    option.selected = item === current;
    return option;
  }));
  byId("items-label").hidden = items.length < 2;
  byId("name").textContent = current ? `${current.name} · ${secondsOf(current.sound).toFixed(2)} s` : "";
}

function show(item: Item): void {
  stop();
  showItem(item);
  showList();
  showControls();
}

function found(item: Item, transcript: Transcript): void {
  item.transcript = transcript;
  item.comparison = null;
  item.undo = [];
  if (current === item) {
    selected = -1;
    drawLabels();
  }
  const fit = transcript.fit === undefined ? "" : `; fit ${transcript.fit.toFixed(2)} of 1`;
  say(`${item.name}: ${transcript.phones.length} phones${fit}`);
}

async function takeFiles(files: File[]): Promise<void> {
  for (const file of files) await attempt(`Reading ${file.name}…`, () => takeFile(file));
}

async function takeFile(file: File): Promise<void> {
  if (!about) return;
  if (file.size > about.limits.megabytes * 1e6) throw new Error(`${file.name}: larger than ${about.limits.megabytes} MB`);
  if (!file.size) throw new Error(`${file.name}: is an empty file`);
  const content = await file.arrayBuffer();
  const sound = await decode(content, about.sample_rate).catch(() => engine.decode(file, file.name));
  if (secondsOf(sound) > about.limits.seconds) throw new Error(`${file.name}: longer than ${about.limits.seconds} s`);
  const item: Item = { name: file.name, sound, file, transcript: null, comparison: null, undo: [] };
  items.push(item);
  show(item);
  say(`Recognising ${file.name}…`);
  found(item, await engine.transcribe(item));
}

async function startRecording(): Promise<void> {
  if (!about) return;
  stop();
  let session: LiveSession | null = null;
  let strip: LiveStrip | null = null;
  let length = 0;
  const most = about.limits.live_seconds - 0.5;
  const microphone = await openMicrophone((samples) => {
    session?.add(samples);
    strip?.add(samples);
    length += samples.length;
    if (recording && length > most * microphone.rate) void attempt("", stopRecording);
  });
  showItem(null);
  strip = new LiveStrip(microphone.rate);
  session = engine.live(microphone.rate, (phones) => recording?.strip.show(phones));
  recording = { microphone, session, strip };
  byId("name").textContent = "Recording";
  byId("what").textContent = "";
  say(`Speak; phones appear as you do. At most ${about.limits.live_seconds} s.`);
}

async function stopRecording(): Promise<void> {
  if (!recording || !about) return;
  const { microphone, session, strip } = recording;
  microphone.stop();
  recording = null;
  say("Recognising the whole recording…");
  const sound = await resample(strip.sound, about.sample_rate);
  const item: Item = { name: `recording-${++recorded}.wav`, sound, file: null, transcript: null, comparison: null, undo: [] };
  items.push(item);
  show(item);
  const transcript = await session.finish();
  found(item, { ...transcript, utterance: stem(item.name), audio: item.name });
}

async function align(): Promise<void> {
  const item = current;
  const text = byId<HTMLInputElement>("text").value.trim();
  if (!item) return;
  if (!text) throw new Error("type what is said first");
  const kind = byId<HTMLSelectElement>("kind").value === "phones" ? "phones" : "words";
  found(item, await engine.align(item, kind, text));
  // Only silence has no error rate; the alignment is shown all the same.
  item.comparison = (await engine.compare?.(item, kind, text).catch(() => null)) ?? null;
  if (current === item) drawComparison();
}

function correct(transcript: Transcript): void {
  if (!current?.transcript) return;
  current.undo.push(current.transcript);
  current.transcript = transcript;
  drawLabels();
  showControls();
}

function undo(): void {
  const before = current?.undo.pop();
  if (!current || !before) return;
  current.transcript = before;
  drawLabels();
  showControls();
}

function pressed(event: KeyboardEvent): void {
  const target = event.target as HTMLElement;
  if (event.ctrlKey || event.metaKey || event.altKey || target.matches("input, select, textarea")) return;
  const onPhone = target.matches(".phone, .handle") || target === document.body || target.id === "strip";
  const actions: Record<string, () => void> = {
    r: () => byId("record").click(),
    o: () => byId("open").click(),
    p: () => byId("play").click(),
    u: undo,
    "+": () => rescale(1),
    "-": () => rescale(-1),
    Escape: stop,
    ...(onPhone ? {
      ArrowLeft: () => choose(Math.max(0, selected - 1), false),
      ArrowRight: () => choose(selected + 1, false),
      " ": () => choose(Math.max(0, selected), true),
    } : {}),
  };
  const action = actions[event.key];
  if (!action) return;
  event.preventDefault();
  action();
}

function downloads(): [string, (item: Item, transcript: Transcript) => void][] {
  const text = (content: string, name: string, kind = "text/plain"): void =>
    saveAs(new Blob([content], { type: kind }), name);
  return [
    ["textgrid", (item, transcript) => text(textGridOf(transcript), `${stem(item.name)}.TextGrid`)],
    ["json", (item, transcript) => text(jsonOf(transcript), `${stem(item.name)}.json`, "application/json")],
    ["csv", (item, transcript) => text(csvOf(transcript), `${stem(item.name)}.csv`, "text/csv")],
    ["elan", (item, transcript) => text(elanOf(transcript), `${stem(item.name)}.eaf`, "application/xml")],
    ["png", (item) => void attempt("", async () => saveAs(await pngOf(item), `${stem(item.name)}.png`))],
  ];
}

function listen(): void {
  const files = byId<HTMLInputElement>("files");
  byId("open").addEventListener("click", () => files.click());
  files.addEventListener("change", () => {
    void takeFiles([...(files.files ?? [])]);
    files.value = "";
  });
  byId("record").addEventListener("click", () => void attempt("", recording ? stopRecording : startRecording));
  byId("play").addEventListener("click", () => (playing ? stop() : current && play(current.sound)));
  byId("undo").addEventListener("click", undo);
  byId("wider").addEventListener("click", () => rescale(1));
  byId("narrower").addEventListener("click", () => rescale(-1));
  byId("items").addEventListener("change", (event) => {
    const item = items[Number((event.target as HTMLSelectElement).value)];
    if (item) show(item);
  });
  byId("speech").addEventListener("submit", (event) => {
    event.preventDefault();
    void attempt("Aligning…", align);
  });
  for (const [id, action] of downloads()) {
    byId(id).addEventListener("click", () => current?.transcript && action(current, current.transcript));
  }
  document.addEventListener("keydown", pressed);
  document.addEventListener("dragover", (event) => {
    event.preventDefault();
    document.body.classList.add("over");
  });
  document.addEventListener("dragleave", () => document.body.classList.remove("over"));
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    document.body.classList.remove("over");
    if (about && !recording) void takeFiles([...(event.dataTransfer?.files ?? [])]);
  });
  dark.addEventListener("change", drawSpectrogram);
}

async function start(): Promise<void> {
  changed = correct;
  listen();
  void engine.runsOn?.then((name) => (byId("runs-on").textContent = ` (${name})`));
  showControls();
  await attempt("Loading the model…", async () => {
    about = await engine.about();
    byId("model").textContent = about.name;
    byId("quality").textContent = about.quality ? ` · ${about.quality}` : "";
    const kind = byId<HTMLSelectElement>("kind");
    if (!about.words) {
      kind.value = "phones";
      kind.querySelector("[value=words]")?.remove();
    }
    say("");
  });
}

void start();
