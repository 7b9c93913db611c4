// Makes a load curve and a heat map readable value by value, and lets one choose the days to look at.
//
// For each <figure class="load-curve"> and <figure class="heat-map">: a cursor (arrow keys on a native slider, or the pointer) whose value
// is told in a live region; for a curve also days to choose by dragging over them, which opens their address, and an image to keep. The page
// is complete without this file: the server has drawn everything, its caption and the table of the same figures, and takes dates in a form.
// The image is drawn by uPlot (loaded by the page before this file), with every value and in the classes' colours.

const DAY = 86400;

async function start(figure) {
  const data = await read(figure);
  if (!data) return;
  const curve = flatten(data);
  if (curve.times.length > 0) new Reader(figure, data, curve);
}

/** What the page says of the chart, with its values from the page or, for very dense series, from the address it gives. */
async function read(figure) {
  const data = JSON.parse(document.getElementById(figure.dataset.series).textContent);
  if (data.segments || data.days) return data;
  const answer = await fetch(figure.dataset.src, { headers: { Accept: "application/json" } });
  return answer.ok ? { ...data, segments: (await answer.json()).segments } : null;
}

/** One list of instants (seconds), of values and of quality words; null where there is no value, also between segments. */
function flatten({ segments, days, start, end }) {
  if (days) return ofDays(days);
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

/** A long curve, each day from its lowest to its highest value. */
const ofDays = (days) => ({
  times: days.map(([at]) => at),
  steps: days.map(([at, end]) => end - at),
  lows: days.map(([, , low]) => low),
  values: days.map(([, , , high]) => high),
  energies: days.map(([, , , , energy]) => energy),
  words: days.map(() => "measured"),
});

class Reader {
  constructor(figure, data, curve) {
    Object.assign(this, { figure, data, curve });
    this.plot = figure.querySelector(".plot");
    this.svg = this.plot.querySelector(".drawing");
    this.panel = figure.querySelector(".reader");
    this.slider = this.panel.querySelector("input[type=range]");
    this.output = this.panel.querySelector("output");
    this.write = formats(data);
    [this.first, this.last] = [0, curve.times.length - 1];
    this.cursor = line(this.svg);
    this.listen();
    this.panel.hidden = false;
    this.slider.min = this.first;
    this.slider.max = this.last;
    this.slider.value = this.highest();
    this.fit();
    this.point();
  }

  listen() {
    this.slider.addEventListener("input", () => this.point());
    this.slider.addEventListener("keydown", (event) => this.key(event));
    this.svg.addEventListener("pointermove", (event) => this.hover(event));
    this.panel.querySelector("[data-do=png]").addEventListener("click", () => this.picture());
    this.day = this.panel.querySelector("[data-do=day]");
    if (this.day && this.data.end - this.data.start > 1.1 * DAY) brush(this.svg, (from, to) => this.choose(from, to));
    else this.day?.remove();
  }

  /** Open the days between two fractions of the drawing. */
  choose(...ends) {
    const [from, to] = ends.map((share) => this.write.iso(this.data.start + share * (this.data.end - this.data.start - 1)));
    location.assign(from === to ? this.day.dataset.one + from : `${this.day.dataset.many}&du=${from}&au=${to}`);
  }

  /** The slider stands under the values: not under what lies before the first or after the last. */
  fit() {
    const share = (at) => Math.min(1, Math.max(0, (at - this.data.start) / (this.data.end - this.data.start)));
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
    const { times, steps } = this.curve;
    this.output.value = `${this.when(times[index])}${this.write.colon} ${this.said(index)}`;
    this.slider.setAttribute("aria-valuetext", this.output.value);
    const middle = times[index] + steps[index] / 2;
    const across = `${(100 * (middle - this.data.start)) / (this.data.end - this.data.start)}%`;
    for (const end of ["x1", "x2"]) this.cursor.setAttribute(end, across);
    if (this.day) this.day.href = this.day.dataset.one + this.write.iso(times[index]);
  }

  when(at) {
    return this.curve.lows ? this.write.day(at) : this.write.when(at);
  }

  said(index) {
    const { values, words, lows, energies } = this.curve;
    const { words: said } = this.data;
    if (values[index] === null) return said.none;
    const value = this.write.value(values[index]);
    if (!lows) return `${value}, ${said[words[index]] ?? words[index]}`;
    return `${said.from} ${this.write.value(lows[index])} ${said.to} ${value}, ${this.write.energy(energies[index])}`;
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

  /** On the slider: a page is a day, or a week of a curve by days. */
  key(event) {
    const step = this.curve.steps[this.slider.valueAsNumber];
    const day = this.curve.lows ? 7 : Math.round(DAY / step);
    const jump = { PageUp: day, PageDown: -day }[event.key];
    if (!jump) return;
    this.slider.value = this.slider.valueAsNumber + jump;
    event.preventDefault();
    this.point();
  }

  /** Every value, with the last held to its end, and a hole where a slot is missing altogether. */
  points() {
    const { times, steps, values, lows } = this.curve;
    const drawn = lows ? [[], [], []] : [[], []];
    const add = (at, ...rest) => drawn.forEach((list, index) => list.push([at, ...rest][index]));
    for (let index = this.first; index <= this.last; index += 1) {
      const [end, next] = [times[index] + steps[index], times[index + 1]];
      add(times[index], values[index], lows?.[index]);
      if (index === this.last) add(end, values[index], lows?.[index]);
      else if (next > end) add(end, null, null);
    }
    return drawn;
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
        x: { time: true, range: () => [this.data.start, this.data.end] },
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
        ...(this.curve.lows ? [{ stroke: colour.curve, width: 1, paths: uPlot.paths.stepped({ align: 1 }), points: { show: false } }] : []),
      ],
      bands: this.curve.lows ? [{ series: [1, 2] }] : [],
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
      band(plot, Math.max(limit.start ?? 0, this.data.start), Math.min(limit.end ?? Infinity, this.data.end), (context, x, width) => {
        const y = plot.valToPos(limit.value, "y", true);
        stroke(context, colour.limit, 1.5, [6, 4], [x, y], [x + width, y]);
      });
    }
    band(plot, this.data.start, this.data.end, (context) => this.over(plot, context, colour));
    for (const limit of this.data.limits) this.label(plot, plot.ctx, colour, limit);
  }

  /** The text of a limit, where the server has found room for it. */
  label(plot, context, colour, { value, label, across, anchor, under }) {
    const x = plot.bbox.left + across * plot.bbox.width;
    const y = plot.valToPos(value, "y", true) + (under ? 16 : -6) * devicePixelRatio;
    context.save();
    Object.assign(context, { font: `600 ${12 * devicePixelRatio}px ${colour.family}`, textAlign: anchor, lineJoin: "round" });
    Object.assign(context, { strokeStyle: colour.surface, lineWidth: 4 * devicePixelRatio, fillStyle: colour.limit });
    context.strokeText(label, x, y);
    context.fillText(label, x, y);
    context.restore();
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
    const plot = new uPlot(options, this.points(), room);
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
      context.fillText(this.write.period(this.data.start, this.data.end), 24 * scale, 76 * scale);
      context.drawImage(plot.ctx.canvas, 0, 100 * scale);
      plot.destroy();
      room.remove();
      sheet.toBlob((blob) => save(blob, `${this.data.name || "courbe"} ${this.write.iso(this.data.start)}.png`), "image/png");
    }));
  }
}

/** The mean power of each hour of each day: left and right on the slider is a day, up and down an hour. */
class Hours {
  constructor(figure) {
    this.data = JSON.parse(document.getElementById(figure.dataset.cells).textContent);
    this.svg = figure.querySelector(".drawing");
    const panel = figure.querySelector(".reader");
    [this.slider, this.output, this.day] = ["input", "output", "[data-do=day]"].map((one) => panel.querySelector(one));
    this.write = formats({ ...this.data, start: 0, end: 366 * DAY });
    this.cursors = [line(this.svg), line(this.svg)];
    this.slider.max = this.data.values.length * 24 - 1;
    this.slider.value = this.highest();
    this.slider.addEventListener("input", () => this.point());
    this.slider.addEventListener("keydown", (event) => this.key(event));
    this.svg.addEventListener("pointermove", (event) => this.hover(event));
    panel.hidden = false;
    this.point();
  }

  highest() {
    const all = this.data.values.flat();
    return all.reduce((best, value, index) => ((value ?? -1) > (all[best] ?? -1) ? index : best), 0);
  }

  hover(event) {
    const box = this.svg.getBoundingClientRect();
    const day = Math.floor(((event.clientX - box.left) / box.width) * this.data.values.length);
    const hour = Math.floor(((event.clientY - box.top) / box.height) * 24);
    if (day < 0 || day >= this.data.values.length || hour < 0 || hour > 23) return;
    this.slider.value = 24 * day + hour;
    this.point();
  }

  key(event) {
    const jump = { ArrowRight: 24, ArrowLeft: -24, ArrowDown: 1, ArrowUp: -1, PageDown: 168, PageUp: -168 }[event.key];
    if (!jump) return;
    event.preventDefault();
    this.slider.value = this.slider.valueAsNumber + jump;
    this.point();
  }

  point() {
    const [day, hour] = [Math.floor(this.slider.valueAsNumber / 24), this.slider.valueAsNumber % 24];
    const value = this.data.values[day][hour];
    const iso = this.data.days[day];
    const clock = (at) => `${String(at).padStart(2, "0")}:00`;
    const said = value === null ? this.data.words.none : this.write.value(value);
    this.output.value = `${this.write.civil(iso)}, ${clock(hour)}–${clock(hour + 1)}${this.write.colon} ${said}`;
    this.slider.setAttribute("aria-valuetext", this.output.value);
    const [across, down] = [`${(100 * (day + 0.5)) / this.data.values.length}%`, `${(100 * (hour + 0.5)) / 24}%`];
    place(this.cursors[0], across, across, "0", "100%");
    place(this.cursors[1], "0", "100%", down, down);
    if (this.day) this.day.href = this.day.dataset.one + iso;
  }
}

/** Tells `chosen` the two ends of a stretch that is dragged over, as fractions from the left. */
function brush(svg, chosen) {
  let from = null;
  let zone = null;
  const share = (event) => {
    const box = svg.getBoundingClientRect();
    return Math.min(1, Math.max(0, (event.clientX - box.left) / box.width));
  };
  const stop = () => {
    zone?.remove();
    from = zone = null;
  };
  svg.classList.add("brush");
  svg.addEventListener("pointerdown", (event) => {
    if (event.button === 0) from = share(event);
  });
  svg.addEventListener("pointermove", (event) => {
    if (from === null) return;
    const to = share(event);
    if (!zone && Math.abs(to - from) * svg.clientWidth < 8) return;
    if (!zone) {
      svg.setPointerCapture(event.pointerId);
      zone = document.createElementNS("http://www.w3.org/2000/svg", "rect");
      zone.setAttribute("class", "c-brush");
      zone.setAttribute("height", "100%");
      svg.append(zone);
    }
    zone.setAttribute("x", `${100 * Math.min(from, to)}%`);
    zone.setAttribute("width", `${100 * Math.abs(to - from)}%`);
  });
  svg.addEventListener("pointerup", (event) => {
    const ends = zone && [from, share(event)].sort((one, other) => one - other);
    stop();
    if (ends) chosen(...ends);
  });
  svg.addEventListener("pointercancel", stop);
  addEventListener("keydown", (event) => event.key === "Escape" && stop());
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

function place(cursor, x1, x2, y1, y2) {
  for (const [name, value] of Object.entries({ x1, x2, y1, y2 })) cursor.setAttribute(name, value);
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
  const small = new Intl.NumberFormat(locale, { minimumFractionDigits: 3, maximumFractionDigits: 3 });
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
    value: (value) => `${grouped((value > 0 && value < 0.05 ? small : one).format(value))}\u00a0${unit}`,
    energy: (value) => `${grouped(one.format(value))}\u00a0kWh`,
    day: (seconds) => day.format(seconds * 1000),
    civil: (iso) => new Intl.DateTimeFormat(locale, { timeZone: "UTC", weekday: "long", day: "numeric", month: "long", year: "numeric" }).format(new Date(`${iso}T00:00Z`)),
    bare: (value) => grouped(plain.format(value)),
    when: (seconds) => `${day.format(seconds * 1000)}, ${clock.format(seconds * 1000)}${twice(seconds)}`,
    period: (from, to) => `${full.format(from * 1000)} – ${full.format(to * 1000)}`,
    iso: (seconds) => zoned.format(seconds * 1000),
    tick: (seconds, step) => (step >= 28 * DAY ? month : step >= DAY || clock.format(seconds * 1000) === "00:00" ? short : clock).format(seconds * 1000),
  };
}

for (const figure of document.querySelectorAll("figure.load-curve")) start(figure);
for (const figure of document.querySelectorAll("figure.heat-map")) new Hours(figure);
