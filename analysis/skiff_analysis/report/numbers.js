"use strict";
// The arithmetic of the page: means over seeds with 95 % intervals of Student, on a common grid where
// each run keeps its last value. The same rules as the Python package has.

const isNumber = (value) => value !== null && value !== undefined && Number.isFinite(value);

function interval(values, student) {
  const known = values.filter(isNumber);
  const n = known.length;
  if (n === 0) return {n, mean: NaN, half: NaN};
  const mean = known.reduce((sum, v) => sum + v, 0) / n;
  if (n === 1) return {n, mean, half: NaN};
  const square = known.reduce((sum, v) => sum + (v - mean) ** 2, 0) / (n - 1);
  return {n, mean, half: student[n - 2] * Math.sqrt(square / n)};
}

// [x, y] pairs of a run where y was measured; bytes are up + down.
function curveOf(run, axis, metric) {
  const c = run.curves;
  const x = axis === "bytes" ? c.up.map((up, i) => up + c.down[i]) : c[axis];
  return (c[metric] || []).map((y, i) => [x[i], y]).filter(([, y]) => isNumber(y));
}

function band(curves, student) {
  curves = curves.filter((curve) => curve.length);
  if (!curves.length) return [];
  const first = Math.max(...curves.map((c) => c[0][0]));
  const last = Math.min(...curves.map((c) => c[c.length - 1][0]));
  const grid = [...new Set(curves.flatMap((c) => c.map((p) => p[0])))].sort((a, b) => a - b);
  const places = curves.map(() => 0);
  const points = [];
  for (const x of grid) {
    if (x < first || x > last) continue;
    const values = curves.map((c, i) => {
      while (places[i] + 1 < c.length && c[places[i] + 1][0] <= x) ++places[i];
      return c[places[i]][1];
    });
    const {mean, half} = interval(values, student);
    points.push({x, mean, half: curves.length >= 3 ? half : NaN, runs: curves.length});
  }
  return points;
}

function thinned(points, most = 400) {
  if (points.length <= most) return points;
  const step = (points.length - 1) / (most - 1);
  return Array.from({length: most}, (_, i) => points[Math.round(i * step)]);
}

// What a run reached: final, best, and what it had cost when it first reached the target.
function reachedBy(run, metric, target) {
  const curve = curveOf(run, "round", metric.name);
  const values = curve.map((p) => p[1]);
  const result = {final: values.length ? values[values.length - 1] : NaN};
  result.best = values.length ? (metric.rises ? Math.max(...values) : Math.min(...values)) : NaN;
  const good = curve.find(([, y]) => isNumber(target) && (metric.rises ? y >= target : y <= target));
  result.reached = good !== undefined;
  if (good) {
    const i = run.curves.round.indexOf(good[0]);
    Object.assign(result, {round: good[0], time: run.curves.time[i], up: run.curves.up[i], energy: run.curves.energy[i]});
  }
  return result;
}

function onFront(points, rises) {
  const asGood = (a, b) => a.cost <= b.cost && (rises ? a.value >= b.value : a.value <= b.value);
  const better = (a, b) => a.cost < b.cost || (rises ? a.value > b.value : a.value < b.value);
  return points.map((p) => !points.some((q) => asGood(q, p) && better(q, p)));
}
