/*
 * What the pages of the atlas do by themselves: two small scripts, written into the pages, that fetch nothing.
 */

/** Levels of a map's values from one end of the scale to the other, one character each. */
export const LEVELS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-";

/** Values of a map in {@link LEVELS}: 0 is the middle one. */
export function mapLevels(values: readonly number[], limit: number): string {
  const middle = (LEVELS.length - 1) / 2;
  return values
    .map((value) => {
      const place = limit > 0 ? Math.max(-1, Math.min(1, value / limit)) : 0;
      return LEVELS[Math.round(middle + middle * place)];
    })
    .join("");
}

/** A head's page: maps on pictures, and the keys for the next head and the one before. */
export const HEAD_SCRIPT = `"use strict";
const LEVELS = "${LEVELS}";
const middle = (LEVELS.length - 1) / 2;
const paint = (canvas) => {
  const { map } = canvas.dataset;
  const context = canvas.getContext("2d");
  const image = context.createImageData(canvas.width, canvas.height);
  for (let i = 0; i < map.length; i++) {
    const value = (LEVELS.indexOf(map[i]) - middle) / middle;
    image.data.set(value > 0 ? [178, 24, 43] : [33, 102, 172], 4 * i);
    image.data[4 * i + 3] = 205 * Math.sqrt(Math.abs(value));
  }
  context.putImageData(image, 0, 0);
};
const watcher = new IntersectionObserver((entries) => {
  for (const { isIntersecting, target } of entries) {
    if (!isIntersecting) continue;
    paint(target);
    watcher.unobserve(target);
  }
}, { rootMargin: "200px" });
for (const canvas of document.querySelectorAll("canvas[data-map]")) watcher.observe(canvas);
const maps = document.getElementById("maps");
const show = () => document.body.classList.toggle("maps", maps.checked);
if (maps) {
  maps.addEventListener("change", show);
  show();
}
document.addEventListener("keydown", (event) => {
  if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
  if (event.target.closest("input:not([type=checkbox]), select, textarea")) return;
  const link = document.querySelector({ ArrowLeft: "a[rel=prev]", ArrowRight: "a[rel=next]" }[event.key] ?? "no-such");
  if (link) link.click();
});
`;

/** The overview: sorting, filtering, searching, and a scatter of any two metrics. */
export const OVERVIEW_SCRIPT = `"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const list = document.getElementById("heads");
const rows = new Map([...list.children].map((row) => [row.dataset.head, row]));
const by = (id) => document.getElementById(id);
const points = [...document.querySelectorAll("a[data-head]")].filter((one) => one.closest("svg"));
const metricOf = (key) => data.metrics.find((one) => one.key === key);
const valueOf = (head, key) => head.metrics[key];
const write = (value, unit) => {
  if (value === null) return "–";
  const minus = (text) => text.replace("-", "−");
  const signed = (text) => (value > 0 ? "+" : "") + minus(text);
  if (unit === "share") return Math.round(100 * value) + " %";
  if (unit === "signed-share") return signed((100 * value).toFixed(1)) + " %";
  if (unit === "signed") return signed(value.toFixed(2));
  if (unit === "p") return value < 0.1 ? value.toPrecision(1) : value.toFixed(2);
  if (unit === "count") return value + " of 5";
  return value.toFixed(3);
};
const passes = (head) => {
  const words = by("search").value.toLowerCase().split(/\\s+/).filter(Boolean);
  const text = [head.name, head.label, head.factor, ...head.texts].join(" ").toLowerCase();
  if (!words.every((word) => text.includes(word))) return false;
  const scale = /share/.test(metricOf(by("filter").value).unit) ? 100 : 1;
  const value = valueOf(head, by("filter").value);
  const [least, most] = ["least", "most"].map((id) => (by(id).value === "" ? null : Number(by(id).value) / scale));
  if (least === null && most === null) return true;
  return value !== null && (least === null || value >= least) && (most === null || value <= most);
};
const update = () => {
  const key = by("sort").value;
  const down = by("down").checked;
  const order = [...data.heads];
  if (key !== "place") {
    const place = (head) => valueOf(head, key) ?? (down ? -Infinity : Infinity);
    order.sort((a, b) => (down ? place(b) - place(a) : place(a) - place(b)));
  } else if (down) order.reverse();
  let shown = 0;
  for (const head of order) {
    const row = rows.get(head.name);
    row.hidden = !passes(head);
    if (!row.hidden) shown++;
    list.append(row);
  }
  by("count").textContent = shown + " of " + data.heads.length;
  const visible = new Set(order.filter(passes).map((head) => head.name));
  for (const point of points) point.classList.toggle("faint", !visible.has(point.dataset.head));
};
const { width, height, left, right, top: above, bottom } = data.scatter;
const draw = () => {
  const ends = {};
  const place = {};
  for (const axis of ["x", "y"]) {
    const key = by(axis).value;
    const values = data.heads.map((head) => valueOf(head, key)).filter((value) => value !== null);
    const least = Math.min(0, ...values);
    const most = Math.max(0, ...values) > least ? Math.max(0, ...values) : least + 1;
    ends[axis] = [least, most];
    const share = (value) => (value - least) / (most - least);
    place[axis] = axis === "x"
      ? (value) => left + share(value) * (width - left - right)
      : (value) => height - bottom - share(value) * (height - above - bottom);
    document.querySelector("[data-axis=" + axis + "]").textContent = metricOf(key).name;
    for (const i of [0, 1])
      document.querySelector("[data-end=" + axis + i + "]").textContent = write(ends[axis][i], metricOf(key).unit);
  }
  document.querySelector("[data-zero=x]").setAttribute("d", "M" + place.x(0) + " " + above + "V" + (height - bottom));
  document.querySelector("[data-zero=y]").setAttribute("d", "M" + left + " " + place.y(0) + "H" + (width - right));
  for (const point of points) {
    const head = data.heads.find((one) => one.name === point.dataset.head);
    const [a, b] = [valueOf(head, by("x").value), valueOf(head, by("y").value)];
    const hidden = a === null || b === null;
    point.setAttribute("visibility", hidden ? "hidden" : "visible");
    if (!hidden) point.setAttribute("transform", "translate(" + place.x(a) + " " + place.y(b) + ")");
  }
};
for (const id of ["sort", "down", "filter", "least", "most", "search"]) by(id).addEventListener("input", update);
for (const id of ["x", "y"]) by(id).addEventListener("input", draw);
update();
`;
