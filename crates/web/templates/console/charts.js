// Draws tables as charts: <figure class="chart" data-chart="TABLE-ID" data-kind="lines|bars">. The
// first column holds the time (data-at, in seconds), each further one a series whose colour its
// heading names (data-colour). The table stays for whoever cannot see the chart.
"use strict";
(() => {
  const fa = document.documentElement.lang === "fa";
  const number = new Intl.NumberFormat(fa ? "fa-IR" : "en");
  const locale = fa ? "fa-IR-u-ca-persian" : "en-GB";
  const zone = { timeZone: "Asia/Tehran" };
  const hour = new Intl.DateTimeFormat(locale, { ...zone, hour: "2-digit", minute: "2-digit", hour12: false });
  const day = new Intl.DateTimeFormat(locale, { ...zone, month: "short", day: "numeric" });
  const whole = new Intl.DateTimeFormat(locale, { ...zone, dateStyle: "medium", timeStyle: "short" });

  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim() || name;

  // A value without neighbours has no line: it gets a point.
  const lonely = (plot, place) => {
    const values = plot.data[place];
    const missing = (index) => values[index] === null || values[index] === undefined;
    const found = values.flatMap((_, index) => !missing(index) && missing(index - 1) && missing(index + 1) ? [index] : []);
    return found.length > 0 ? found : null;
  };

  const draw = (figure) => {
    // Other parts of the page may have been fetched anew; this chart is there already.
    if (figure.dataset.drawn) return;
    figure.dataset.drawn = "yes";
    const table = document.getElementById(figure.dataset.chart);
    const rows = table ? [...table.tBodies[0].rows] : [];
    if (rows.length === 0) return;
    const heads = [...table.tHead.rows[0].cells].slice(1);
    const data = [rows.map((row) => Number(row.cells[0].dataset.at))];
    heads.forEach((_, place) => data.push(rows.map((row) => {
      const value = row.cells[place + 1].dataset.value;
      return value === undefined || value === "" ? null : Number(value);
    })));
    const daily = data[0].length > 1 && data[0][1] - data[0][0] >= 86_400;
    const axis = { stroke: colour("soft"), grid: { stroke: colour("line"), width: 1 }, ticks: { show: false }, font: "12px Vazirmatn, sans-serif" };
    const bars = figure.dataset.kind === "bars";
    const series = heads.map((head) => {
      const stroke = colour(head.dataset.colour || "accent");
      return {
        label: head.textContent.trim(),
        stroke,
        width: bars ? 0 : 2,
        fill: bars ? stroke : undefined,
        points: bars ? { show: false } : { show: false, filter: lonely },
        paths: bars ? uPlot.paths.bars({ size: [0.7, 40] }) : undefined,
        value: (_, value) => (value === null ? "–" : number.format(value)),
      };
    });
    figure.replaceChildren();
    const plot = new uPlot({
      width: figure.clientWidth,
      height: 240,
      tzDate: (at) => uPlot.tzDate(new Date(at * 1000), "Asia/Tehran"),
      legend: { live: true },
      cursor: { y: false },
      scales: { x: { time: true }, y: { range: (_, low, high) => [0, Math.max(high, 1) * 1.08] } },
      series: [{ label: fa ? "زمان" : "Time", value: (_, at) => (at === null ? "–" : whole.format(at * 1000)) }, ...series],
      axes: [
        { ...axis, space: 70, values: (_, ticks) => ticks.map((at) => (daily ? day : hour).format(at * 1000)) },
        { ...axis, size: 60, values: (_, ticks) => ticks.map((value) => number.format(value)) },
      ],
    }, data, figure);
    new ResizeObserver(() => plot.setSize({ width: figure.clientWidth, height: 240 })).observe(figure);
  };

  const drawAll = () => document.querySelectorAll("figure[data-chart]").forEach(draw);
  document.fonts.ready.then(drawAll);
  document.addEventListener("htmx:afterSwap", drawAll);
})();
