// Makes a load curve readable value by value, and lets one look closer.
//
// For each <figure class="load-curve">: a cursor (arrow keys on a native slider, or the pointer), zoom by buttons and by dates, and an
// image to keep. The page is complete without this file: the server has drawn the curve, its caption and the table of the same figures.
// Close up, the drawing is uPlot's (loaded by the page before this file), with every value and in the classes' colours.

const DAY = 86400;

for (const figure of document.querySelectorAll("figure.load-curve")) start(figure);

async function start(figure) {
  const data = await read(figure);
  if (!data) return;
  const curve = flatten(data);
  if (curve.times.length > 0) new Reader(figure, data, curve);
}

/** What the page says of the chart, with its values from the page or, for very dense series, from the address it gives. */
async function read(figure) {
  const data = JSON.parse(document.getElementById(figure.dataset.series).textContent);
  if (data.segments) return data;
  const answer = await fetch(figure.dataset.src, { headers: { Accept: "application/json" } });
  return answer.ok ? { ...data, segments: (await answer.json()).segments } : null;
}

/** One list of instants (seconds), of values and of quality words; null where there is no value, also between segments. */
function flatten({ segments, start, end }) {
  const slots = [];
  for (const segment of segments) {
    const words = segment.quality.flatMap(([word, count]) => Array(count).fill(word));
    segment.values.forEach((value, index) => {
      const at = segment.start + index * segment.step;
      if (at < end && at + segment.step > start) slots.push({ at, step: segment.step, value, word: words[index] ?? "measured" });
    });
  }
  slots.sort((one, other) => one.at - other.at || (one.value === null) - (other.value === null));
  const kept = slots.filter((slot, index) => index === 0 || slot.at !== slots[index - 1].at);
  return {
    times: kept.map((slot) => slot.at),
    steps: kept.map((slot) => slot.step),
    values: kept.map((slot) => slot.value),
    words: kept.map((slot) => slot.word),
  };
}

class Reader {
  constructor(figure, data, curve) {
    Object.assign(this, { figure, data, curve });
    this.plot = figure.querySelector(".plot");
    this.svg = this.plot.querySelector(".drawing");
    this.panel = figure.querySelector(".reader");
    this.slider = this.panel.querySelector("input[type=range]");
    this.output = this.panel.querySelector("output");
    this.button = Object.fromEntries([...this.panel.querySelectorAll("[data-do]")].map((one) => [one.dataset.do, one]));
    this.field = Object.fromEntries([...this.panel.querySelectorAll("[data-at]")].map((one) => [one.dataset.at, one]));
    this.write = formats(data);
    this.from = data.start;
    this.to = data.end;
    this.cursor = line(this.svg);
    this.listen();
    this.panel.hidden = false;
    this.show();
  }

  listen() {
    this.slider.addEventListener("input", () => this.point());
    this.slider.addEventListener("keydown", (event) => this.key(event));
    this.svg.addEventListener("pointermove", (event) => this.hover(event));
    const actions = { in: () => this.zoom(0.5), out: () => this.zoom(2), back: () => this.move(-0.5), on: () => this.move(0.5) };
    actions.all = () => this.look(this.data.start, this.data.end);
    actions.png = () => this.picture();
    for (const [name, button] of Object.entries(this.button)) button.addEventListener("click", actions[name]);
    for (const field of Object.values(this.field)) field.addEventListener("change", () => this.dates());
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.canvas && this.show());
    new ResizeObserver(() => this.canvas?.setSize(this.size())).observe(this.plot);
    for (const label of this.panel.querySelectorAll(".dates")) label.hidden = this.data.end - this.data.start <= 2 * DAY;
  }

  /** Redraw what is looked at: the server's drawing for the whole period, a canvas close up. */
  show() {
    const whole = this.from === this.data.start && this.to === this.data.end;
    [this.first, this.last] = between(this.curve.times, this.curve.steps, this.from, this.to);
    this.undraw();
    if (!whole && typeof uPlot === "function") this.draw();
    const at = Number(this.slider.value);
    this.slider.min = this.first;
    this.slider.max = this.last;
    this.slider.value = this.placed && at >= this.first && at <= this.last ? at : this.highest();
    this.placed = true;
    this.fit();
    this.button.in.disabled = this.last - this.first < 8;
    this.button.out.disabled = this.button.all.disabled = whole;
    this.button.back.disabled = this.from <= this.data.start;
    this.button.on.disabled = this.to >= this.data.end;
    const { from, to } = this.field;
    from.min = to.min = this.write.iso(this.data.start);
    from.max = to.max = this.write.iso(this.data.end - 1);
    from.value = this.write.iso(this.from);
    to.value = this.write.iso(this.to - 1);
    this.point();
  }

  /** The slider stands under the values: not under what lies before the first or after the last. */
  fit() {
    const share = (at) => Math.min(1, Math.max(0, (at - this.from) / (this.to - this.from)));
    const begun = share(this.curve.times[this.first]);
    const width = Math.max(0.2, share(this.curve.times[this.last] + this.curve.steps[this.last]) - begun);
    this.slider.style.marginLeft = `${100 * Math.min(begun, 1 - width)}%`;
    this.slider.style.width = `${100 * width}%`;
  }

  highest() {
    let best = this.first;
    for (let index = this.first; index <= this.last; index += 1) {
      if ((this.curve.values[index] ?? -1) > (this.curve.values[best] ?? -1)) best = index;
    }
    return best;
  }

  /** Say the value under the cursor, and stand the line there. */
  point() {
    const index = this.slider.valueAsNumber;
    const { times, steps, values, words } = this.curve;
    const value = values[index];
    const { words: said } = this.data;
    const text = value === null ? said.none : `${this.write.value(value)}, ${said[words[index]] ?? words[index]}`;
    this.output.value = `${this.write.when(times[index])}${this.write.colon} ${text}`;
    this.slider.setAttribute("aria-valuetext", this.output.value);
    const middle = times[index] + steps[index] / 2;
    if (this.canvas) {
      this.marked = middle;
      this.canvas.redraw(false);
    } else {
      const across = `${(100 * (middle - this.data.start)) / (this.data.end - this.data.start)}%`;
      for (const end of ["x1", "x2"]) this.cursor.setAttribute(end, across);
    }
  }

  hover(event) {
    const box = this.svg.getBoundingClientRect();
    this.to_instant(this.data.start + ((event.clientX - box.left) / box.width) * (this.data.end - this.data.start));
  }

  to_instant(at) {
    const { times, steps } = this.curve;
    const index = after(times, at) - 1;
    if (index < this.first || index > this.last || at >= times[index] + steps[index]) return;
    this.slider.value = index;
    this.point();
  }

  /** On the slider: a page is a day; plus and minus look closer and farther. */
  key(event) {
    const day = Math.round(DAY / this.curve.steps[this.slider.valueAsNumber]);
    const jump = { PageUp: day, PageDown: -day }[event.key];
    if (jump) this.slider.value = this.slider.valueAsNumber + jump;
    else if (event.key === "+" && !this.button.in.disabled) this.zoom(0.5);
    else if (event.key === "-" && !this.button.out.disabled) this.zoom(2);
    else return;
    event.preventDefault();
    this.point();
  }

  /** Half or twice the period, around the cursor. */
  zoom(factor) {
    const centre = this.curve.times[this.slider.valueAsNumber];
    const length = Math.max((this.to - this.from) * factor, 4 * this.curve.steps[this.slider.valueAsNumber]);
    this.look(centre - length / 2, centre + length / 2);
  }

  move(share) {
    const length = this.to - this.from;
    const way = Math.min(Math.max(this.from + share * length, this.data.start), this.data.end - length) - this.from;
    this.look(this.from + way, this.to + way);
  }

  dates() {
    const { from, to } = this.field;
    if (!from.value || !to.value || from.value > to.value) return;
    this.look(this.write.midnight(from.value), this.write.midnight(to.value, 1));
  }

  look(from, to) {
    const length = Math.min(to - from, this.data.end - this.data.start);
    this.from = Math.round(Math.min(Math.max(from, this.data.start), this.data.end - length));
    this.to = Math.round(this.from + length);
    this.show();
  }

  size() {
    return { width: this.plot.clientWidth, height: this.plot.clientHeight };
  }

  draw() {
    const room = document.createElement("div");
    room.className = "dense";
    room.setAttribute("aria-hidden", "true");
    this.plot.append(room);
    this.canvas = new uPlot({ ...this.options(this.figure), ...this.size() }, this.points(), room);
    room.addEventListener("pointermove", (event) => {
      const box = this.canvas.over.getBoundingClientRect();
      this.to_instant(this.canvas.posToVal(event.clientX - box.left, "x"));
    });
  }

  undraw() {
    this.canvas?.destroy();
    this.canvas = null;
    this.plot.querySelector(".dense")?.remove();
  }

  /** What is looked at, with the last value held to its end, and a hole where a slot is missing altogether. */
  points() {
    const [times, values] = [[], []];
    for (let index = this.first; index <= this.last; index += 1) {
      const end = this.curve.times[index] + this.curve.steps[index];
      times.push(this.curve.times[index]);
      values.push(this.curve.values[index]);
      const next = this.curve.times[index + 1];
      if (index === this.last || next > end) {
        times.push(end);
        values.push(index === this.last ? this.curve.values[index] : null);
      }
    }
    return [times, values];
  }

  options(element) {
    const colour = palette(element);
    const top = Math.max(0, ...this.data.limits.map((limit) => limit.value));
    const axis = { stroke: colour.soft, grid: { stroke: colour.line, width: 1 }, ticks: { show: false }, font: colour.font };
    return {
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), this.data.zone),
      legend: { show: false },
      cursor: { x: false, y: false, points: { show: false }, drag: { x: false, y: false, setScale: false } },
      padding: [6, 0, 0, 0],
      scales: {
        x: { time: true, range: () => [this.from, this.to] },
        y: { range: (_plot, _low, high) => [0, Math.max(high ?? 1, top) * 1.06 || 1] },
      },
      axes: [
        { ...axis, size: 28, gap: 8, space: 70, values: (_plot, splits, _axis, _space, step) => splits.map((at) => this.write.tick(at, step)) },
        { ...axis, size: 52, gap: 8, values: (_plot, splits) => splits.map((value) => this.write.bare(value)) },
      ],
      series: [
        {},
        {
          stroke: colour.curve,
          width: 1.75,
          fill: alpha(colour.curve, 0.1),
          paths: uPlot.paths.stepped({ align: 1 }),
          points: { show: false },
          spanGaps: false,
        },
      ],
      hooks: { drawClear: [(plot) => this.gaps(plot, colour)], draw: [(plot) => this.marks(plot, colour)] },
    };
  }

  /** Under the curve: an empty zone where nothing was received. */
  gaps(plot, colour) {
    for (const [from, to] of runs(this.curve, (index) => this.curve.values[index] === null, this.first, this.last)) {
      band(plot, from, to, (context, x, width) => {
        context.fillStyle = colour.sunken;
        context.fillRect(x, plot.bbox.top, width, plot.bbox.height);
      });
    }
  }

  /** Over the curve: hatches on estimates, the limits in force, the cursor. */
  marks(plot, colour) {
    const estimated = (index) => this.curve.values[index] !== null && this.curve.words[index] === "estimated";
    for (const [from, to, first, last] of runs(this.curve, estimated, this.first, this.last)) {
      band(plot, from, to, (context) => this.hatch(plot, context, colour, first, last));
    }
    for (const limit of this.data.limits) {
      band(plot, Math.max(limit.start ?? this.from, this.from), Math.min(limit.end ?? this.to, this.to), (context, x, width) => {
        const y = plot.valToPos(limit.value, "y", true);
        stroke(context, colour.limit, 1.5, [6, 4], [x, y], [x + width, y]);
        Object.assign(context, { fillStyle: colour.limit, font: `600 ${12 * devicePixelRatio}px ${colour.family}`, textAlign: "right" });
        context.fillText(`${this.data.words.limit} ${this.write.bare(limit.value)} ${this.data.unit}`, x + width, y - 6 * devicePixelRatio);
      });
    }
    band(plot, this.from, this.to, (context) => this.over(plot, context, colour));
    if (this.marked && !plot.still) {
      const x = plot.valToPos(this.marked, "x", true);
      stroke(plot.ctx, colour.ink, 1, [], [x, plot.bbox.top], [x, plot.bbox.top + plot.bbox.height]);
    }
  }

  hatch(plot, context, colour, first, last) {
    const bottom = plot.bbox.top + plot.bbox.height;
    context.beginPath();
    for (let index = first; index <= last; index += 1) {
      const [left, right] = [0, this.curve.steps[index]].map((more) => plot.valToPos(this.curve.times[index] + more, "x", true));
      const y = plot.valToPos(this.curve.values[index], "y", true);
      context.rect(left, y, right - left, bottom - y);
    }
    context.clip();
    const [from, to] = [plot.valToPos(this.curve.times[first], "x", true), plot.valToPos(this.curve.times[last] + this.curve.steps[last], "x", true)];
    const gap = 7 * devicePixelRatio;
    for (let x = from - plot.bbox.height; x < to; x += gap) {
      stroke(context, alpha(colour.curve, 0.4), 1.2, [], [x, bottom], [x + plot.bbox.height, plot.bbox.top]);
    }
  }

  /** What exceeds the limit in force, as on the server's drawing. */
  over(plot, context, colour) {
    const { times, steps, values } = this.curve;
    for (let index = this.first; index <= this.last; index += 1) {
      const limit = this.data.limits.find(({ start, end }) => (start ?? 0) <= times[index] && times[index] < (end ?? Infinity));
      if (!limit || values[index] === null || values[index] <= limit.value) continue;
      const y = plot.valToPos(values[index], "y", true);
      stroke(context, colour.limit, 2.5, [], [plot.valToPos(times[index], "x", true), y], [plot.valToPos(times[index] + steps[index], "x", true), y]);
    }
  }

  /** An image of what is looked at, with its name and its caption, 1600 points wide. */
  picture() {
    const room = document.createElement("div");
    room.className = "vh";
    this.figure.append(room);
    const options = { ...this.options(this.figure), width: 1600, height: 640 };
    options.hooks.ready = [(plot) => (plot.still = true)];
    const plot = new uPlot(options, this.points(), room);
    plot.still = true;
    plot.redraw();
    requestAnimationFrame(() => requestAnimationFrame(() => {
      const colour = palette(this.figure);
      const scale = plot.ctx.canvas.width / 1600;
      const sheet = document.createElement("canvas");
      Object.assign(sheet, { width: plot.ctx.canvas.width, height: plot.ctx.canvas.height + 130 * scale });
      const context = sheet.getContext("2d");
      context.fillStyle = colour.surface;
      context.fillRect(0, 0, sheet.width, sheet.height);
      context.fillStyle = colour.ink;
      context.font = `600 ${26 * scale}px ${colour.family}`;
      context.fillText([this.data.name, this.data.unit].filter(Boolean).join(", "), 24 * scale, 44 * scale);
      context.fillStyle = colour.soft;
      context.font = `${18 * scale}px ${colour.family}`;
      context.fillText(this.write.period(this.from, this.to), 24 * scale, 76 * scale);
      context.drawImage(plot.ctx.canvas, 0, 100 * scale);
      plot.destroy();
      room.remove();
      sheet.toBlob((blob) => save(blob, `${this.data.name || "courbe"} ${this.write.iso(this.from)}.png`), "image/png");
    }));
  }
}

/** The first and last slots that touch a period. */
function between(times, steps, from, to) {
  let first = Math.max(0, after(times, from) - 1);
  if (times[first] + steps[first] <= from && first < times.length - 1) first += 1;
  return [first, Math.max(first, after(times, to - 1) - 1)];
}

/** How many instants are at or before `at`. */
function after(times, at) {
  let [low, high] = [0, times.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle] <= at) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Stretches of slots for which `is` holds: start, end, first and last index. */
function* runs({ times, steps }, is, first, last) {
  for (let index = first; index <= last; index += 1) {
    if (!is(index)) continue;
    const begun = index;
    while (index < last && is(index + 1)) index += 1;
    yield [times[begun], times[index] + steps[index], begun, index];
  }
}

function band(plot, from, to, paint) {
  if (to <= from) return;
  const [left, right] = [from, to].map((at) => plot.valToPos(at, "x", true));
  plot.ctx.save();
  plot.ctx.beginPath();
  plot.ctx.rect(plot.bbox.left, plot.bbox.top, plot.bbox.width, plot.bbox.height);
  plot.ctx.clip();
  paint(plot.ctx, left, right - left);
  plot.ctx.restore();
}

function stroke(context, colour, width, dashes, from, to) {
  context.save();
  Object.assign(context, { strokeStyle: colour, lineWidth: width * devicePixelRatio });
  context.setLineDash(dashes.map((length) => length * devicePixelRatio));
  context.beginPath();
  context.moveTo(...from);
  context.lineTo(...to);
  context.stroke();
  context.restore();
}

function line(drawing) {
  const cursor = document.createElementNS("http://www.w3.org/2000/svg", "line");
  cursor.setAttribute("class", "c-cursor");
  cursor.setAttribute("y2", "100%");
  drawing.append(cursor);
  return cursor;
}

/** The colours in force where the figure stands, light or dark, the operator's own included: read from elements that wear them. */
function palette(figure) {
  const probe = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  probe.setAttribute("class", "vh");
  figure.querySelector(".plot").append(probe);
  const read = (name) => {
    const one = document.createElementNS("http://www.w3.org/2000/svg", "rect");
    one.setAttribute("class", name);
    probe.append(one);
    return getComputedStyle(one);
  };
  const family = getComputedStyle(figure).fontFamily;
  const found = {
    curve: read("c-line").stroke,
    limit: read("c-limit").stroke,
    line: read("c-grid").stroke,
    sunken: read("c-gap").fill,
    ink: read("c-cursor").stroke,
    soft: read("sw-soft").fill,
    surface: read("sw-surface").fill,
    family,
    font: `12px ${family}`,
  };
  probe.remove();
  return found;
}

/** `rgb(1, 2, 3)` seen through. */
const alpha = (colour, share) => colour.replace(/^rgba?\(([^)]+)\)$/, (_all, parts) => `rgb(${parts.split(",").slice(0, 3).join(" ").trim()} / ${share})`);

function save(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

/** How values and instants are written, in the page's language and the instance's zone. */
function formats({ language, zone, unit, end, start }) {
  const locale = language === "en" ? "en-GB" : "fr-FR";
  const at = (options) => new Intl.DateTimeFormat(locale, { timeZone: zone, ...options });
  const one = new Intl.NumberFormat(locale, { minimumFractionDigits: 1, maximumFractionDigits: 1 });
  const plain = new Intl.NumberFormat(locale, { maximumFractionDigits: 2 });
  const grouped = (text) => (language === "en" ? text.replaceAll(",", "\u202f") : text);
  const long = end - start > 31 * DAY;
  const day = at({ weekday: "long", day: "numeric", ...(long && { month: "long", year: "numeric" }) });
  const clock = at({ hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  const full = at({ day: "numeric", month: "long", year: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  const [month, short] = [at({ month: "short", year: "numeric" }), at({ day: "numeric", month: "short" })];
  const zoned = new Intl.DateTimeFormat("en-CA", { timeZone: zone, year: "numeric", month: "2-digit", day: "2-digit" });
  const offset = (seconds) => {
    const parts = new Intl.DateTimeFormat("en-US", { timeZone: zone, timeZoneName: "longOffset" }).formatToParts(seconds * 1000);
    const [, sign, hours, minutes = "0"] = /GMT(?:([+-])(\d+):?(\d+)?)?/.exec(parts.find((part) => part.type === "timeZoneName").value);
    return sign ? (sign === "-" ? -1 : 1) * (Number(hours) * 3600 + Number(minutes) * 60) : 0;
  };
  // The hour that comes back when clocks go back is told apart by its distance to UTC.
  const twice = (seconds) => {
    const again = [-3600, 3600].some((hour) => clock.format((seconds + hour) * 1000) === clock.format(seconds * 1000));
    return again ? ` (UTC+${offset(seconds) / 3600})` : "";
  };
  return {
    colon: language === "en" ? ":" : "\u00a0:",
    value: (value) => `${grouped(one.format(value))}\u00a0${unit}`,
    bare: (value) => grouped(plain.format(value)),
    when: (seconds) => `${day.format(seconds * 1000)}, ${clock.format(seconds * 1000)}${twice(seconds)}`,
    period: (from, to) => `${full.format(from * 1000)} – ${full.format(to * 1000)}`,
    iso: (seconds) => zoned.format(seconds * 1000),
    tick: (seconds, step) => (step >= 28 * DAY ? month : step >= DAY || clock.format(seconds * 1000) === "00:00" ? short : clock).format(seconds * 1000),
    midnight: (iso, more = 0) => {
      const [year, month, date] = iso.split("-").map(Number);
      const wall = Date.UTC(year, month - 1, date + more) / 1000;
      return wall - offset(wall - offset(wall));
    },
  };
}
