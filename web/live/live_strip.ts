// The strip while one speaks: columns are added as the sound comes, and phones as they are found.

/** Columns that are drawn together: 0.2 s. */
const LIVE_COLUMNS = 40;

class LiveStrip {
  private readonly pieces: Float32Array[] = [];
  private length = 0;
  private drawn = 0;
  private black = -40;

  constructor(private readonly rate: number) {
    byId("picture").replaceChildren();
    byId("words").replaceChildren();
    byId("phones").replaceChildren();
    byId("words").hidden = true;
    drawComparison();
  }

  get sound(): Sound { return { samples: joined(this.pieces), rate: this.rate }; }

  add(samples: Float32Array): void {
    this.pieces.push(samples);
    this.length += samples.length;
    const end = Math.floor(this.length / this.rate / HOP) - 2;
    if (end - this.drawn < LIVE_COLUMNS) return;
    const values = levels(this.recent(), this.drawn - this.firstColumn(), end - this.firstColumn());
    this.black = Math.max(this.black, loudest(values));
    const canvas = element("canvas", "", "", { "aria-hidden": "true" });
    drawLevels(canvas, values, this.black, dark.matches);
    canvas.style.width = `${(end - this.drawn) * HOP * scale}px`;
    byId("picture").append(canvas);
    this.drawn = end;
    setWidth(this.length / this.rate);
    byId("strip").scrollLeft = byId("strip").scrollWidth;
  }

  show(phones: Phone[]): void {
    byId("phones").replaceChildren(...phones.map((phone) => {
      const box = placed(element("span", "phone", "", { title: phone.phone }), phone);
      box.append(symbolOf(phone.phone, phone));
      return box;
    }));
  }

  /** The column at which `recent` begins. */
  private firstColumn(): number {
    return Math.max(0, this.drawn - Math.round(0.1 / HOP));
  }

  /** The end of the sound, which new columns are computed from. */
  private recent(): Sound {
    const first = Math.round(this.firstColumn() * HOP * this.rate);
    let at = this.length;
    let number = this.pieces.length;
    while (number > 0 && at > first) at -= this.pieces[--number]!.length;
    return { samples: joined(this.pieces.slice(number)).subarray(Math.max(0, first - at)), rate: this.rate };
  }
}
