// The page: filters, tables and charts over the runs that are chosen.

const DATA = JSON.parse(document.getElementById("data").textContent);
const COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#8c6bb1", "#999999"];
const SYMBOLS = ["circle", "square", "triangle", "diamond2", "wye", "cross", "star", "times"];
const DASHES = ["", "6 3", "8 2 2 2", "2 2", "10 3", "4 2 1 2", "1 2", "12 3 3 3"];
const AXES = {round: ["round", ""], bytes: ["bytes over the air, up + down", "B"], time: ["virtual time", "s"], energy: ["energy of all devices", "J"]};
const COSTS = {bytes_up: ["bytes sent by all devices", "B"], virtual_time: ["virtual time", "s"], energy: ["energy of all devices", "J"], peak_memory: ["peak memory of the largest device", "B"]};
const STEPS = {B: [["B", 1], ["kB", 1e3], ["MB", 1e6], ["GB", 1e9], ["TB", 1e12]], s: [["s", 1], ["min", 180, 60], ["h", 10800, 3600], ["d", 259200, 86400]], J: [["J", 1], ["kJ", 1e3], ["MJ", 1e6], ["GJ", 1e9]]};
const OUTCOME_COLOURS = {accepted: "#009E73", late: "#E69F00", refused: "#D55E00", aborted: "#CC79A7"};
const PART_COLOURS = {weights: "#0072B2", gradients: "#E69F00", optimizer_state: "#009E73", activations: "#56B4E9", adapters: "#CC79A7", scratch: "#F0E442", runtime: "#999999"};

const seeds = [...new Set(DATA.runs.map((run) => run.seed))].sort((a, b) => a - b);
const state = {axis: "round", metric: DATA.metric, cost: "bytes_up", cases: new Set(DATA.cases), seeds: new Set(seeds)};
const element = (id) => document.getElementById(id);
const metric = () => DATA.metrics.find((m) => m.name === state.metric);
const chosen = () => DATA.runs.filter((run) => state.cases.has(run.case) && state.seeds.has(run.seed));
const cases = () => DATA.cases.filter((name) => state.cases.has(name));
const lookOf = (name) => DATA.cases.indexOf(name);
const colourOf = (name) => COLOURS[lookOf(name) % 8];
const symbolOf = (name) => SYMBOLS[(lookOf(name) + 3 * Math.floor(lookOf(name) / 8)) % 8];

function scaleOf(unit, largest) {
  let found = ["", 1];
  for (const [symbol, from, size] of STEPS[unit] || []) if (largest >= from || symbol === unit) found = [symbol, size || from];
  return {symbol: found[0], size: found[1]};
}

function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else node.setAttribute(key, value);
  }
  node.append(...children);
  return node;
}

function spread({mean, half}, digits, size = 1) {
  if (!Number.isFinite(mean)) return "–";
  if (digits === 1 && mean < size) digits = 3;
  const half_text = Number.isFinite(half) ? ` ± ${(half / size).toFixed(digits)}` : "";
  return (mean / size).toFixed(digits) + half_text;
}

function keyOf(name) {
  const symbol = d3.symbol(d3[`symbol${symbolOf(name)[0].toUpperCase()}${symbolOf(name).slice(1)}`], 60)();
  const svg = d3.create("svg").attr("class", "key").attr("viewBox", "-7 -7 14 14").attr("aria-hidden", "true");
  svg.append("path").attr("d", symbol).attr("fill", colourOf(name)).attr("stroke", colourOf(name)).attr("stroke-width", 1.5);
  return svg.node();
}

function filter(name, values, set, decorate) {
  const field = make("fieldset", {id: `filter-${name}`}, make("legend", {}, name));
  const boxes = values.map((value) => {
    const box = make("input", {type: "checkbox", value: String(value), checked: "", onchange: () => {
      if (box.checked) set.add(value); else set.delete(value);
      draw();
    }});
    field.append(make("label", {}, box, ...decorate(value), String(value)));
    return [box, value];
  });
  const all = make("button", {type: "button", onclick: () => {
    const on = set.size < values.length;
    for (const [box, value] of boxes) { box.checked = on; if (on) set.add(value); else set.delete(value); }
    draw();
  }}, "all / none");
  if (values.length > 2) field.append(all);
  return field;
}

function choice(id, label, options, key) {
  const select = make("select", {id, onchange: () => { state[key] = select.value; draw(); }});
  for (const [value, text] of options) select.append(make("option", {value, ...(state[key] === value ? {selected: ""} : {})}, text));
  return make("label", {}, label, select);
}

function fill(table, head, rows) {
  table.replaceChildren(
    make("thead", {}, make("tr", {}, ...head.map((text) => make("th", {scope: "col"}, text)))),
    make("tbody", {}, ...rows.map(({name, cells}) => make("tr", {"data-case": name}, ...cells.map((cell) => make("td", {}, cell))))));
}

function drawSummary(runs) {
  const m = metric(), target = state.metric === DATA.metric ? DATA.target : null;
  const stats = cases().map((name) => ({name, runs: runs.filter((run) => run.case === name)})).filter((row) => row.runs.length);
  const of = (row, pick) => interval(row.runs.map(pick), DATA.student);
  const scales = {};
  for (const [key, unit] of [["bytes_up", "B"], ["bytes_down", "B"], ["virtual_time", "s"], ["energy", "J"], ["peak_memory", "B"]]) {
    scales[key] = scaleOf(unit, Math.max(0, ...stats.map((row) => of(row, (run) => run.totals[key]).mean).filter(Number.isFinite)));
  }
  const base = stats.find((row) => row.name === DATA.baseline);
  const head = ["case", "seeds"];
  if (m) head.push("final", "best");
  for (const key of Object.keys(scales)) head.push(`${key.replace("_", " ")} (${scales[key].symbol})`);
  head.push("uploads smaller by", "lost");
  if (m && target !== null) head.push(`reach ${target.toPrecision(3)}`, "at round", `bytes up to it (${scales.bytes_up.symbol})`, `time to it (${scales.virtual_time.symbol})`, `energy to it (${scales.energy.symbol})`);
  const rows = stats.map((row) => {
    const cells = [row.name, String(row.runs.length)];
    const reached = m ? row.runs.map((run) => reachedBy(run, m, target)) : [];
    const digits = m && Math.abs(reached[0].final) < 0.01 ? 6 : 3;
    if (m) cells.push(...["final", "best"].map((key) => spread(interval(reached.map((r) => r[key]), DATA.student), digits)));
    for (const key of Object.keys(scales)) cells.push(spread(of(row, (run) => run.totals[key]), 1, scales[key].size));
    const factor = base ? of(base, (run) => run.totals.bytes_an_upload).mean / of(row, (run) => run.totals.bytes_an_upload).mean : NaN;
    cells.push(Number.isFinite(factor) ? `${factor.toPrecision(3)}x` : "–");
    const lost = of(row, (run) => run.totals.lost).mean, accepted = of(row, (run) => run.totals.accepted).mean;
    cells.push(`${(100 * lost / Math.max(1, lost + accepted)).toFixed(1)} %`);
    if (m && target !== null) {
      cells.push(`${(100 * reached.filter((r) => r.reached).length / reached.length).toFixed(0)} %`);
      const to = (key) => interval(reached.map((r) => r[key]), DATA.student);
      cells.push(spread(to("round"), 0), spread(to("up"), 1, scales.bytes_up.size), spread(to("time"), 1, scales.virtual_time.size), spread(to("energy"), 1, scales.energy.size));
    }
    return {name: row.name, cells};
  });
  fill(element("summary"), head, rows);
  element("summary-note").textContent = "Mean over the chosen seeds ± half of the 95 % interval (Student's t); totals are those of the whole fleet." +
    (m && target !== null ? ` Costs to the target are means over the runs that reach it; it is ${target.toPrecision(3)} ${m.label}.` : "") +
    ` Uploads are compared with ${DATA.baseline}.`;
}

function chart(id, options) {
  const holder = element(id);
  if (!options) {
    holder.replaceChildren(make("p", {class: "note"}, "Nothing was recorded for this, or nothing is chosen."));
    return;
  }
  const width = Math.max(280, Math.min(holder.clientWidth || 640, 1100));
  const svg = Plot.plot({width, style: {fontSize: "12px", background: "none"}, ...options(width)});
  holder.replaceChildren(svg);
}

function drawConvergence(runs) {
  const m = metric();
  if (!m || !runs.length) return chart("convergence", null);
  const lines = cases().map((name) => ({name, points: thinned(band(runs.filter((run) => run.case === name).map((run) => curveOf(run, state.axis, m.name)), DATA.student))})).filter((line) => line.points.length);
  const all = lines.flatMap((line) => line.points.map((p) => ({...p, name: line.name})));
  const {symbol, size} = scaleOf(AXES[state.axis][1], Math.max(...all.map((p) => p.x)));
  for (const p of all) p.x /= size;
  const log = state.axis === "bytes" && all.every((p) => p.x > 0);
  const logY = ["suboptimality", "gradient_norm"].includes(m.name) && all.every((p) => p.mean > 0);
  const marks = lines.map((line) => all.filter((p) => p.name === line.name));
  chart("convergence", (width) => ({
    height: Math.min(420, Math.max(260, width * 0.5)), marginLeft: 52, marginBottom: 42, grid: true,
    x: {label: AXES[state.axis][0] + (symbol ? ` (${symbol}${log ? ", logarithmic" : ""})` : ""), type: log ? "log" : "linear", tickFormat: ".4~g", ticks: Math.max(3, width / 110)},
    y: {label: m.label, type: logY ? "log" : "linear"},
    marks: [
      Plot.areaY(all.filter((p) => Number.isFinite(p.half)), {x: "x", y1: (p) => p.mean - p.half, y2: (p) => p.mean + p.half, z: "name", fill: (p) => colourOf(p.name), fillOpacity: Math.max(0.05, 0.3 / lines.length), clip: true}),
      ...marks.map((points) => Plot.line(points, {x: "x", y: "mean", stroke: colourOf(points[0].name), strokeWidth: 1.8, strokeDasharray: DASHES[lookOf(points[0].name) % 8], clip: true})),
      Plot.dot(marks.flatMap((points) => points.filter((_, i) => i % Math.max(1, Math.ceil(points.length / 8)) === 0)), {x: "x", y: "mean", stroke: (p) => colourOf(p.name), fill: (p) => colourOf(p.name), symbol: (p) => symbolOf(p.name), r: 3.5}),
      Plot.tip(all, Plot.pointer({x: "x", y: "mean", fill: "var(--page)", title: (p) => `${p.name}\n${AXES[state.axis][0]} ${p.x.toPrecision(4)} ${symbol}\n${p.mean.toPrecision(4)}${Number.isFinite(p.half) ? ` ± ${p.half.toPrecision(2)}` : ""}, mean of ${p.runs}`})),
    ],
    symbol: {type: "identity"}, color: {type: "identity"},
  }));
}

function drawPareto(runs) {
  const m = metric();
  if (!m || !runs.length) return chart("pareto", null);
  const points = cases().map((name) => {
    const mine = runs.filter((run) => run.case === name);
    const cost = interval(mine.map((run) => run.totals[state.cost]), DATA.student);
    const value = interval(mine.map((run) => reachedBy(run, m, null).final), DATA.student);
    return {name, cost: cost.mean, value: value.mean, half: value.half};
  }).filter((p) => Number.isFinite(p.cost) && Number.isFinite(p.value));
  if (!points.length) return chart("pareto", null);
  onFront(points, m.rises).forEach((front, i) => { points[i].front = front; });
  const {symbol, size} = scaleOf(COSTS[state.cost][1], Math.max(...points.map((p) => p.cost)));
  for (const p of points) p.cost /= size;
  const low = Math.min(...points.map((p) => p.cost)), high = Math.max(...points.map((p) => p.cost));
  const log = low > 0 && high / low > 5;
  chart("pareto", (width) => ({
    height: Math.min(400, Math.max(260, width * 0.45)), marginLeft: 52, marginBottom: 42, marginRight: 30, grid: true,
    x: {label: `${COSTS[state.cost][0]} (${symbol}${log ? ", logarithmic" : ""})`, type: log ? "log" : "linear", nice: true, tickFormat: ".4~g", ticks: Math.max(3, width / 110)},
    y: {label: `final ${m.label}`, nice: true}, symbol: {type: "identity"}, color: {type: "identity"},
    marks: [
      Plot.line(points.filter((p) => p.front).sort((a, b) => a.cost - b.cost), {x: "cost", y: "value", curve: "step-after", stroke: "var(--faint)", strokeDasharray: "3 3"}),
      Plot.ruleX(points.filter((p) => Number.isFinite(p.half)), {x: "cost", y1: (p) => p.value - p.half, y2: (p) => p.value + p.half, stroke: (p) => colourOf(p.name), strokeOpacity: 0.5}),
      Plot.dot(points, {x: "cost", y: "value", r: 6, symbol: (p) => symbolOf(p.name), stroke: (p) => colourOf(p.name), strokeWidth: 2, fill: (p) => (p.front ? colourOf(p.name) : "var(--page)")}),
      Plot.tip(points, Plot.pointer({x: "cost", y: "value", fill: "var(--page)", title: (p) => `${p.name}${p.front ? ", on the front" : ""}\n${p.cost.toPrecision(4)} ${symbol}\n${p.value.toPrecision(4)}${Number.isFinite(p.half) ? ` ± ${p.half.toPrecision(2)}` : ""}`})),
    ],
  }));
}

function drawMemory() {
  const several = new Set(DATA.memory.map((row) => row[1] + row[2])).size > 1;
  const rows = DATA.memory.filter(([, name]) => !several || state.cases.has(name)).map(([kind, name, plan, part, bytes, limit]) => ({bar: several ? `${kind} · ${name}${plan === "all" ? "" : ` ${plan}`}` : kind, part, share: 100 * bytes / Math.max(1, limit), bytes, limit}));
  if (!rows.length) return chart("memory", null);
  const bars = [...new Set(rows.map((row) => row.bar))];
  const totals = bars.map((bar) => ({bar, total: rows.filter((r) => r.bar === bar).reduce((s, r) => s + r.share, 0), bytes: rows.filter((r) => r.bar === bar).reduce((s, r) => s + r.bytes, 0), limit: rows.find((r) => r.bar === bar).limit}));
  const text = (bytes) => { const {symbol, size} = scaleOf("B", bytes); return `${(bytes / size).toPrecision(3)} ${symbol}`; };
  chart("memory", (width) => ({
    height: 60 + 24 * bars.length, marginLeft: Math.min(width * 0.42, 12 + 6.6 * Math.max(...bars.map((b) => b.length))), marginRight: 12, marginBottom: 40,
    x: {label: "share of what the class may take (%)", domain: [0, 200], ticks: width < 500 ? 4 : 8}, y: {label: null, domain: bars},
    color: {domain: Object.keys(PART_COLOURS), range: Object.values(PART_COLOURS), legend: true},
    marks: [
      Plot.barX(rows, {x: "share", y: "bar", fill: "part", order: Object.keys(PART_COLOURS), clip: true, title: (r) => `${r.bar}, ${r.part}: ${text(r.bytes)}`}),
      Plot.ruleX([100], {stroke: "var(--text)", strokeWidth: 1.5}),
      Plot.text(totals, {x: (t) => Math.min(t.total, width < 500 ? 105 : 140), y: "bar", dx: 5, textAnchor: "start", fill: "var(--text)", stroke: "var(--page)", strokeWidth: 4, text: (t) => `${text(t.bytes)} of ${text(t.limit)}${t.total > 100 ? ", no" : ""}`}),
    ],
  }));
}

function drawOutcomes(runs) {
  const rows = [];
  for (const name of cases()) {
    const counts = new Map();
    for (const run of runs.filter((r) => r.case === name)) for (const [outcome, cause, n] of run.outcomes) {
      const key = cause === "none" || cause === "" || (outcome === "late" && cause === "deadline") ? outcome : `${outcome}: ${cause}`;
      counts.set(key, {outcome, n: (counts.get(key) || {n: 0}).n + n});
    }
    const total = [...counts.values()].reduce((sum, c) => sum + c.n, 0);
    for (const [label, {outcome, n}] of counts) rows.push({name, label, outcome, n, share: 100 * n / total});
  }
  if (!rows.length) return chart("outcomes", null);
  const labels = [...new Set(rows.map((r) => r.label))].sort((a, b) => Object.keys(OUTCOME_COLOURS).indexOf(a.split(":")[0]) - Object.keys(OUTCOME_COLOURS).indexOf(b.split(":")[0]) || (a < b ? -1 : 1));
  const seen = {};
  const shades = labels.map((label) => { const kind = label.split(":")[0]; seen[kind] = (seen[kind] || 0) + 1; return d3.color(OUTCOME_COLOURS[kind]).darker((seen[kind] - 1) * 0.7).formatHex(); });
  chart("outcomes", (width) => ({
    height: 60 + 24 * cases().length, marginLeft: Math.min(width * 0.42, 12 + 6.8 * Math.max(...cases().map((c) => c.length))), marginBottom: 40,
    x: {label: "share of attempts (%)", domain: [0, 100]}, y: {label: null, domain: cases()}, color: {domain: labels, range: shades, legend: true},
    marks: [Plot.barX(rows, {x: "share", y: "name", fill: "label", order: labels, tip: true, title: (r) => `${r.name}\n${r.label}: ${r.n} (${r.share.toFixed(1)} %)`})],
  }));
}

function drawTimes(runs) {
  const tails = [];
  const points = cases().flatMap((name) => {
    const counts = new Array(DATA.edges.length).fill(0);
    for (const run of runs.filter((r) => r.case === name)) for (const [bin, n] of run.times) counts[bin] += n;
    const total = d3.sum(counts);
    if (!total) return [];
    const sums = d3.cumsum(counts);
    const at = (share) => DATA.edges[sums.findIndex((s) => s >= share * total - 1e-9)];
    tails.push(`${name}: ${[0.5, 0.95, 0.99].map((share) => at(share).toPrecision(3)).join(", ")} s`);
    return DATA.edges.map((x, i) => ({name, x, share: sums[i] / total})).filter((p, i) => counts[i] || counts[i + 1]);
  });
  element("times-note").textContent = tails.length ? `Median, 95 % and 99 % of all attempts that began (in bins of 4 %). ${tails.join("; ")}.` : "";
  if (!points.length) return chart("times", null);
  chart("times", (width) => ({
    height: Math.min(380, Math.max(240, width * 0.42)), marginLeft: 48, marginBottom: 42, grid: true,
    x: {type: "log", label: "virtual time (s, logarithmic)", tickFormat: ".4~g", ticks: Math.max(3, width / 110)}, y: {label: "share that took no longer", domain: [0, 1]},
    marks: cases().map((name) => Plot.line(points.filter((p) => p.name === name), {x: "x", y: "share", curve: "step-after", stroke: colourOf(name), strokeWidth: 1.8, strokeDasharray: DASHES[lookOf(name) % 8], tip: true, title: (p) => `${name}\n${(100 * p.share).toFixed(1)} % within ${p.x.toPrecision(3)} s`})),
  }));
}

function drawRuns(runs) {
  const m = metric();
  const head = ["case", "seed", ...DATA.keys.map((key) => key.split(".").slice(-2).join(".")), ...(m ? [`final ${m.label}`] : []), "status", "model", "parameters", "protocol", "heuristics", "fingerprint", "results", "configuration", "skiff", "commit", "compiler", "overrides"];
  fill(element("runs"), head, runs.map((run) => ({name: run.case, cells: [
    run.case, String(run.seed), ...DATA.keys.map((key) => run.settings[key] ?? "–"), ...(m ? [spread({mean: reachedBy(run, m, null).final, half: NaN}, 4)] : []),
    run.about.status, run.about.model, run.about.parameters, run.about.protocol, run.about.heuristics || "–", run.about.fingerprint.slice(0, 8), run.about.results_sha256.slice(0, 8),
    run.about.config_sha256.slice(0, 8), run.about.skiff_version, run.about.git_commit.slice(0, 14), run.about.compiler, run.about.overrides || "–"]})));
}

function drawConfigurations() {
  element("configurations").replaceChildren(...cases().map((name) => make("details", {}, make("summary", {}, name), make("pre", {}, DATA.configurations[name]))));
}

function draw() {
  const runs = chosen();
  drawSummary(runs);
  drawConvergence(runs);
  drawPareto(runs);
  drawMemory();
  drawOutcomes(runs);
  drawTimes(runs);
  drawRuns(runs);
  drawConfigurations();
}

function start() {
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const theme = (name) => { document.documentElement.dataset.theme = name; };
  theme(dark.matches ? "dark" : "light");
  dark.addEventListener("change", () => theme(dark.matches ? "dark" : "light"));
  element("theme").addEventListener("click", () => theme(document.documentElement.dataset.theme === "dark" ? "light" : "dark"));
  element("about").textContent = `${DATA.runs.length} runs: ${DATA.cases.length} case${DATA.cases.length === 1 ? "" : "s"}, seeds ${seeds.join(", ")}`;
  element("filters").append(filter("case", DATA.cases, state.cases, (name) => [keyOf(name)]), filter("seed", seeds, state.seeds, () => []));
  const metrics = DATA.metrics.map((m) => [m.name, m.label]);
  element("convergence-controls").append(choice("metric", "metric", metrics, "metric"), choice("axis", "against", Object.entries(AXES).map(([key, [label]]) => [key, label]), "axis"));
  element("pareto-controls").append(choice("cost", "cost", Object.entries(COSTS).map(([key, [label]]) => [key, label]), "cost"));
  if (DATA.left_out.length) {
    element("left-out").append(make("h2", {}, "Left out"), make("ul", {}, ...DATA.left_out.map(([path, why]) => make("li", {}, `${path}: ${why}`))));
  }
  draw();
  let width = window.innerWidth;
  window.addEventListener("resize", () => { if (window.innerWidth !== width) { width = window.innerWidth; draw(); } });
}

start();
