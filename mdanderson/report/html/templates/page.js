"use strict";
(() => {
  const root = document.documentElement;
  const one = (selector) => document.querySelector(selector);
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const kept = {
    get(name) { try { return localStorage.getItem("mdanderson-" + name); } catch { return null; } },
    set(name, value) { try { localStorage.setItem("mdanderson-" + name, value); } catch { /* opened without storage */ } },
  };

  // What works only with a script is shown only with one.
  all(".switches, .filters").forEach((part) => { part.hidden = false; });

  // Language: every string is on the page in both; attributes carry the other one beside them.
  const spoken = ["aria-label", "title", "text"];
  const speak = (language) => {
    root.lang = language;
    for (const name of spoken) {
      for (const part of all(`[data-${name}-${language}]`)) {
        const text = part.getAttribute(`data-${name}-${language}`);
        if (name === "text") part.textContent = text; else part.setAttribute(name, text);
      }
    }
    const button = one("#language");
    button.textContent = language === "zh" ? "English" : "中文";
    button.lang = language === "zh" ? "en" : "zh";
    tell();
  };
  one("#language").addEventListener("click", () => {
    const language = root.lang === "zh" ? "en" : "zh";
    kept.set("language", language);
    speak(language);
  });

  // Theme: the system's, until the reader chooses.
  const dark = () => root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  const tellTheme = () => one("#theme").setAttribute("aria-pressed", String(dark()));
  one("#theme").addEventListener("click", () => {
    root.dataset.theme = dark() ? "light" : "dark";
    kept.set("theme", root.dataset.theme);
    tellTheme();
  });
  const theme = kept.get("theme");
  if (theme === "dark" || theme === "light") root.dataset.theme = theme;
  tellTheme();

  // Pictures.
  const follow = (id, change) => {
    const control = one(id);
    if (control) control.addEventListener("input", () => change(control));
  };
  follow("#lines", (control) => root.classList.toggle("no-lines", !control.checked));
  follow("#size", (control) => root.style.setProperty("--picture", control.value + "px"));
  follow("#contrast", (control) => root.style.setProperty("--contrast", control.value));

  // Tables that sort: by number where every cell is one, else as text; empty cells stay last.
  const valueOf = (row, column) => {
    const cell = row.cells[column];
    return (cell.dataset.sort ?? cell.innerText).trim();
  };
  const order = (rising) => (a, b) => {
    if (!a.value || !b.value) return (a.value ? 0 : 1) - (b.value ? 0 : 1) || a.place - b.place;
    const numbers = [Number(a.value), Number(b.value)];
    const apart = numbers.some(Number.isNaN) ? a.value.localeCompare(b.value, "en", { numeric: true }) : numbers[0] - numbers[1];
    return (rising ? apart : -apart) || a.place - b.place;
  };
  for (const table of all("table.data")) {
    const rows = [...table.tBodies[0].rows];
    all("thead button", table).forEach((button) => button.addEventListener("click", () => {
      const head = button.closest("th");
      const rising = head.getAttribute("aria-sort") !== "ascending";
      all("thead th", table).forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", rising ? "ascending" : "descending");
      const keyed = rows.map((row, place) => ({ row, place, value: valueOf(row, head.cellIndex) }));
      table.tBodies[0].append(...keyed.sort(order(rising)).map((entry) => entry.row));
    }));
  }

  // The table of patients filters.
  const count = one("#count");
  function tell() {
    if (!count) return;
    const shown = all("#patients-table tbody tr").filter((row) => !row.hidden).length;
    count.textContent = count.getAttribute(`data-told-${root.lang}`).replace("{shown}", shown);
    one("#no-match").hidden = shown > 0;
    one("#unfiltered").hidden = shown === Number(count.dataset.total);
  }
  const filter = () => {
    const words = one("#search").value.toLowerCase().split(/\s+/).filter(Boolean);
    const best = one("#best").value;
    const troubled = one("#troubled").checked;
    for (const row of all("#patients-table tbody tr")) {
      const text = row.textContent.toLowerCase();
      row.hidden = !(words.every((word) => text.includes(word)) && (!best || row.dataset.best === best)
        && (!troubled || Number(row.dataset.problems) > 0));
    }
    tell();
  };
  if (count) {
    one(".filters").addEventListener("submit", (event) => event.preventDefault());
    ["#search", "#best", "#troubled"].forEach((id) => one(id).addEventListener("input", filter));
  }

  // What scrolls sideways is reached by keys, whatever the browser.
  const reach = () => all(".wide, .drawn").forEach((part) => {
    if (part.scrollWidth <= part.clientWidth) { ["tabindex", "role", "aria-labelledby"].forEach((name) => part.removeAttribute(name)); return; }
    part.tabIndex = 0;
    const labelled = part.closest("[aria-labelledby]:not(.wide, .drawn)");
    if (labelled) { part.setAttribute("role", "group"); part.setAttribute("aria-labelledby", labelled.getAttribute("aria-labelledby")); }
  });
  addEventListener("resize", reach);
  reach();

  speak(kept.get("language") === "zh" ? "zh" : "en");
})();
