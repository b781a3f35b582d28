// The engine of `asr serve`: the JSON API and the WebSocket of the server that the page is from.

const token = new URLSearchParams(location.hash.slice(1)).get("token") ?? "";

async function request(path: string, form?: FormData): Promise<Response> {
  const headers: Record<string, string> = token ? { Authorization: `Bearer ${token}` } : {};
  let response: Response;
  try {
    response = await fetch(path, form ? { method: "POST", body: form, headers } : { headers });
  } catch {
    throw new Error("the server does not answer; is asr serve still running?");
  }
  if (response.ok) return response;
  const told = (await response.json().catch(() => null)) as { error?: { message?: string } } | null;
  throw new Error(told?.error?.message ?? `the server answered ${response.status}`);
}

function formOf(file: Blob, name: string, fields: Record<string, string> = {}): FormData {
  const form = new FormData();
  for (const [key, value] of Object.entries(fields)) form.append(key, value);
  form.append("audio", file, name);
  return form;
}

function fileOf(item: Item): Blob {
  return item.file ?? wavOf(item.sound);
}

class LiveSocket implements LiveSession {
  private readonly socket: WebSocket;
  private readonly waiting: (Int16Array<ArrayBuffer> | string)[] = [];
  private phones: Phone[] = [];
  private readonly result: Promise<Transcript>;

  constructor(rate: number, show: (phones: Phone[]) => void) {
    this.socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/v1/live`);
    this.socket.onopen = () => {
      this.socket.send(JSON.stringify({ rate, ...(token ? { token } : {}) }));
      for (const message of this.waiting.splice(0)) this.socket.send(message);
    };
    this.result = new Promise((resolve, reject) => {
      this.socket.onmessage = (event) => {
        const told = JSON.parse(String(event.data)) as {
          keep?: number; phones?: Phone[]; transcript?: Transcript; error?: { message: string };
        };
        if (told.error) reject(new Error(told.error.message));
        else if (told.transcript) resolve(told.transcript);
        else show((this.phones = [...this.phones.slice(0, told.keep), ...(told.phones ?? [])]));
      };
      this.socket.onclose = () => reject(new Error("the server ended the recording"));
    });
    this.result.catch(() => undefined);
  }

  add(samples: Float32Array): void { this.send(to16Bits(samples)); }

  finish(): Promise<Transcript> {
    this.send(JSON.stringify({ end: true }));
    return this.result;
  }

  private send(message: Int16Array<ArrayBuffer> | string): void {
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(message);
    else this.waiting.push(message);
  }
}

const serverEngine = (): Engine => ({
  about: async () => (await (await request("v1/model")).json()) as About,
  decode: async (file, name) => {
    const wav = readWav(await (await request("v1/wav", formOf(file, name))).arrayBuffer());
    if (!wav) throw new Error(`${name}: the server sent no sound`);
    return wav;
  },
  transcribe: async (item) =>
    (await (await request("v1/transcribe", formOf(fileOf(item), item.name))).json()) as Transcript,
  align: async (item, kind, text) =>
    (await (await request("v1/align", formOf(fileOf(item), item.name, { [kind]: text }))).json()) as Transcript,
  compare: async (item, kind, text) =>
    (await (await request("v1/score", formOf(fileOf(item), item.name, { [kind]: text }))).json()) as Comparison,
  live: (rate, show) => new LiveSocket(rate, show),
});
