// What pages do beyond links and forms. Each of them works without it, but for what only helps.
"use strict";
(() => {
  const fa = document.documentElement.lang === "fa";

  // A question before what cannot be taken back.
  document.addEventListener("submit", (event) => {
    const asked = event.submitter?.dataset.confirm ?? event.target.dataset.confirm;
    if (asked && !window.confirm(asked)) event.preventDefault();
  }, true);

  // Menus close when something else is touched, and with Escape.
  const menus = () => document.querySelectorAll("details.me[open], details.drawer[open]");
  document.addEventListener("click", (event) => {
    for (const menu of menus()) if (!menu.contains(event.target)) menu.open = false;
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of menus()) { menu.open = false; menu.querySelector("summary").focus(); }
  });

  // Copies what an element says: <button data-copy="#id">.
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    const source = button && document.querySelector(button.dataset.copy);
    if (!source) return;
    try {
      await navigator.clipboard.writeText(source.value ?? source.textContent.trim());
      button.textContent = fa ? "کپی شد" : "Copied";
    } catch {
      window.getSelection().selectAllChildren(source);
    }
  });

  // Prints the page: <button data-print>.
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-print]")) window.print();
  });

  // One box that ticks all of its form: <input type="checkbox" data-all="name">.
  document.addEventListener("change", (event) => {
    const name = event.target.dataset?.all;
    if (!name) return;
    for (const box of event.target.form.elements) if (box.type === "checkbox" && box.name === name) box.checked = event.target.checked;
  });

  // Shows what belongs to a choice: <div data-when="name=value"> inside of a form.
  const choose = (form) => {
    for (const block of form.querySelectorAll("[data-when]")) {
      const [name, value] = block.dataset.when.split("=");
      const given = new FormData(form).getAll(name);
      block.hidden = !given.includes(value);
    }
  };
  for (const form of document.querySelectorAll("form")) choose(form);
  document.addEventListener("change", (event) => { if (event.target.form) choose(event.target.form); });

  // A calendar beside <input data-date>: Jalali in Persian pages, Gregorian in English ones. What
  // is written is what the field's own page reads: 1405/09/01 or 2026-11-22.
  const DAY = 86_400_000;
  const calendar = fa ? "persian" : "gregory";
  const fields = new Intl.DateTimeFormat(`en-u-ca-${calendar}-nu-latn`, { timeZone: "UTC", year: "numeric", month: "numeric", day: "numeric" });
  const title = new Intl.DateTimeFormat(fa ? "fa-IR-u-ca-persian" : "en-GB", { timeZone: "UTC", year: "numeric", month: "long" });
  const figure = new Intl.NumberFormat(fa ? "fa-IR" : "en", { useGrouping: false });
  const read = (at) => {
    const part = Object.fromEntries(fields.formatToParts(at).map(({ type, value }) => [type, parseInt(value, 10)]));
    return { year: part.year, month: part.month, day: part.day };
  };
  const two = (number) => String(number).padStart(2, "0");
  const write = (at) => {
    const { year, month, day } = read(at);
    return [year, two(month), two(day)].join(fa ? "/" : "-");
  };
  const today = () => Math.floor((Date.now() + 12_600_000) / DAY) * DAY;
  const first = (at) => at - (read(at).day - 1) * DAY;
  const WEEK = fa ? ["ش", "ی", "د", "س", "چ", "پ", "ج"] : ["Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"];
  // 1970-01-01 was a Thursday; weeks begin with Saturday in Iran.
  const column = (at) => (Math.floor(at / DAY) + (fa ? 5 : 3)) % 7;

  const element = (tag, properties, ...children) => {
    const made = Object.assign(document.createElement(tag), properties);
    made.append(...children);
    return made;
  };

  const open = (input, box, month) => {
    const step = (days) => element("button", { type: "button", className: "button small", textContent: days < 0 ? "‹" : "›", ariaLabel: days < 0 ? (fa ? "ماه پیش" : "Previous month") : (fa ? "ماه بعد" : "Next month"), onclick: () => open(input, box, first(first(month) + days * DAY)) });
    const days = element("div", { className: "days" }, ...WEEK.map((name) => element("span", { textContent: name })));
    const start = first(month);
    for (let gap = column(start); gap > 0; gap -= 1) days.append(element("span", {}));
    const earliest = input.dataset.date === "future" ? today() : -Infinity;
    for (let at = start; read(at).month === read(start).month; at += DAY) {
      const button = element("button", { type: "button", textContent: figure.format(read(at).day), disabled: at < earliest, ariaLabel: write(at) });
      button.setAttribute("aria-pressed", input.value === write(at));
      if (at === today()) button.classList.add("today");
      button.onclick = () => {
        input.value = write(at);
        box.hidden = true;
        input.dispatchEvent(new Event("change", { bubbles: true }));
        input.focus();
      };
      days.append(button);
    }
    box.replaceChildren(element("div", { className: "month" }, step(-1), element("span", { textContent: title.format(start) }), step(32)), days);
    box.hidden = false;
  };

  for (const input of document.querySelectorAll("input[data-date]")) {
    const box = element("div", { className: "calendar", hidden: true });
    const place = element("div", { className: "dates" });
    input.replaceWith(place);
    place.append(input, box);
    input.autocomplete = "off";
    const show = () => open(input, box, today());
    input.addEventListener("focus", show);
    input.addEventListener("click", show);
    place.addEventListener("keydown", (event) => { if (event.key === "Escape") { box.hidden = true; event.stopPropagation(); } });
    document.addEventListener("click", (event) => { if (!event.composedPath().includes(place)) box.hidden = true; });
    place.addEventListener("focusout", (event) => { if (event.relatedTarget && !place.contains(event.relatedTarget)) box.hidden = true; });
  }
})();
