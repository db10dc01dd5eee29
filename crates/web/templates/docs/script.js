// Copy buttons, a remembered language of the samples, and a search in the contents.
// The pages are whole without it.
"use strict";
(() => {
  const words = document.body.dataset;
  const LANGUAGE = "peyk-docs-language";

  const recall = () => {
    try {
      return localStorage.getItem(LANGUAGE);
    } catch {
      return null;
    }
  };
  const remember = (language) => {
    try {
      localStorage.setItem(LANGUAGE, language);
    } catch {
      // Storage is closed to us: the choice holds for this page.
    }
  };

  // The clipboard interface exists only on https and localhost.
  const copy = async (text) => {
    if (navigator.clipboard) {
      return navigator.clipboard.writeText(text);
    }
    const area = document.createElement("textarea");
    area.value = text;
    area.className = "offscreen";
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  };

  for (const block of document.querySelectorAll(".code")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "copy";
    button.textContent = words.copy;
    button.addEventListener("click", async () => {
      await copy(block.querySelector("code").textContent + "\n");
      button.textContent = words.copied;
      setTimeout(() => (button.textContent = words.copy), 1500);
    });
    block.append(button);
  }

  const choose = (language) => {
    for (const tab of document.querySelectorAll(`[data-language="${CSS.escape(language)}"]`)) {
      tab.checked = true;
    }
  };
  const earlier = recall();
  if (earlier) {
    choose(earlier);
  }
  for (const tab of document.querySelectorAll("[data-language]")) {
    tab.addEventListener("change", () => {
      choose(tab.dataset.language);
      remember(tab.dataset.language);
    });
  }

  const contents = document.querySelector(".contents");
  const search = document.createElement("input");
  search.type = "search";
  search.placeholder = words.filter;
  search.setAttribute("aria-label", words.filter);
  search.addEventListener("input", () => {
    const wanted = search.value.trim().toLowerCase();
    for (const section of contents.querySelectorAll("section")) {
      let shown = 0;
      for (const item of section.querySelectorAll("li")) {
        item.hidden = !item.textContent.toLowerCase().includes(wanted);
        shown += item.hidden ? 0 : 1;
      }
      section.hidden = shown === 0;
    }
  });
  contents.prepend(search);
  const here = contents.querySelector("[aria-current]");
  if (here && contents.scrollHeight > contents.clientHeight) {
    contents.scrollTop = here.offsetTop - contents.clientHeight / 2;
  }
})();
