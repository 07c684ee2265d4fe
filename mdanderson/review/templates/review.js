"use strict";
(() => {
  const root = document.documentElement;
  const panel = document.querySelector("#review");
  if (!panel) return;
  const one = (selector) => panel.querySelector(selector);
  const form = one("#review-form");
  const item = one("#review-item");
  const fields = one("#review-fields");
  const saved = one("#review-saved");
  const fault = one("#review-fault");
  const named = ["new", "measurable", "target", "node", "lesion_type", "soft_tissue_mm", "lesion_id", "site", "laterality",
    "pain", "alignment", "collapse", "posterolateral"];
  const settling = Boolean(document.querySelector(".dispute"));
  let page = panel.dataset.page;
  let state = { items: {} };
  let dirty = false;
  let asked = false;

  const field = (name) => form.elements.namedItem(name);
  const checked = () => [...form.querySelectorAll(".codes input:checked")].map((box) => box.value);
  const say = (part, both) => { part.textContent = both[root.lang === "zh" ? 1 : 0]; };

  // The reader's name stays in this browser where the server was not told it.
  const reader = field("reader");
  try { if (!reader.value) reader.value = localStorage.getItem("mdanderson-reader") ?? ""; } catch { /* no storage */ }

  const put = (told) => {
    named.forEach((name) => { field(name).value = told[name] ?? ""; });
    const stated = new Set((told.findings ?? "").split(";").filter(Boolean));
    form.querySelectorAll(".codes input").forEach((box) => { box.checked = stated.has(box.value); });
  };

  const codes = (list) => {
    one(".codes").replaceChildren(...list.map(({ code, text }) => {
      const label = document.createElement("label");
      const box = Object.assign(document.createElement("input"), { type: "checkbox", value: code, name: "code" });
      const name = Object.assign(document.createElement("code"), { textContent: code });
      label.append(box, name, Object.assign(document.createElement("span"), { textContent: text }));
      return label;
    }));
    one("#review-codes .none").hidden = list.length > 0;
  };

  const choose = (key) => {
    const told = state.items[key];
    fields.hidden = !told;
    saved.hidden = fault.hidden = true;
    document.querySelectorAll(".review-current").forEach((cell) => cell.classList.remove("review-current"));
    if (!told) return;
    item.value = key;
    codes(told.codes);
    put(told.fields);
    field("comment").value = "";
    one(".f-measurable").hidden = !told.first;
    one(".f-new").hidden = told.baseline || told.fresh;
    one(".f-lesion_id").hidden = !told.fresh && !told.label;
    one(".f-lesion_id .fresh").hidden = !told.fresh;
    one(".f-lesion_id .old").hidden = told.fresh;
    one("#review-new-lesion").hidden = !told.fresh;
    if (told.fresh && !field("lesion_id").value) field("lesion_id").value = told.name;
    const shown = one("#review-shown");
    if (shown) shown.textContent = told.shown;
    const withdraw = one("#review-withdraw");
    if (withdraw) withdraw.hidden = !told.stated;
    const confirm = one("#review-confirm");
    if (confirm) confirm.hidden = told.fresh;
    cellOf(told)?.classList.add("review-current");
    dirty = false;
  };

  const fill = () => {
    const chosen = item.value;
    const option = (value, textContent) => Object.assign(document.createElement("option"), { value, textContent });
    const options = Object.entries(state.items).map(([key, told]) => option(key, told.title));
    item.replaceChildren(item.options[0], ...options);
    item.value = state.items[chosen] ? chosen : "";
    const lesions = new Set(Object.values(state.items).map((told) => told.lesion).filter(Boolean));
    one("#review-lesions").replaceChildren(...[...lesions].map((name) => option(name, name)));
    fields.hidden = !item.value;
  };

  // Beside every picture a button that leads to the form of that lesion and visit.
  const cellOf = (told) => {
    const lesion = [...document.querySelectorAll("article[data-lesion]")].find((part) => part.dataset.lesion === told.lesion);
    const table = lesion && [...lesion.querySelectorAll("table[data-modality]")].find((part) => part.dataset.modality === told.modality);
    return table?.tBodies[0]?.rows[0]?.cells[told.number];
  };
  const buttons = () => {
    document.querySelectorAll(".review-open").forEach((button) => button.remove());
    for (const [key, told] of Object.entries(state.items)) {
      const cell = cellOf(told);
      if (!cell) continue;
      const button = Object.assign(document.createElement("button"), { type: "button", className: "review-open" });
      button.classList.toggle("stated", told.stated);
      button.setAttribute("aria-label", `${told.title}`);
      say(button, state.words.button);
      button.addEventListener("click", () => { unfold(true); choose(key); form.querySelector("#review-fields :is(input, select):not([hidden])")?.focus(); });
      cell.append(button);
    }
  };

  const unfold = (open) => {
    panel.classList.toggle("folded", !open);
    one("#review-fold").setAttribute("aria-expanded", String(open));
  };
  one("#review-fold").addEventListener("click", () => unfold(panel.classList.contains("folded")));
  document.querySelector("#language")?.addEventListener("click", () => { if (state.words) buttons(); });

  // What the server knows; while patients are scored it is asked every second.
  const load = async () => {
    if (!page) return;
    let told;
    try {
      const answer = await fetch(`/review/state?page=${encodeURIComponent(page)}`);
      if (!answer.ok) throw new Error(await answer.text());
      told = await answer.json();
    } catch (error) {
      fault.hidden = false;
      fault.querySelector("span").textContent = String(error.message ?? error);
      setTimeout(load, 5000);
      return;
    }
    const was = state.stage;
    state = told;
    one("#review-job").innerHTML = told.job;
    one("#review-history").innerHTML = told.history;
    one(".review-again")?.addEventListener("click", () => send("/review/rescore", { page }).then(load));
    fill();
    buttons();
    if (["waiting", "scoring", "writing"].includes(told.stage)) {
      asked = true;
      setTimeout(load, 1000);
    } else if (told.stage === "done" && asked && was !== "done" && !dirty) {
      try { sessionStorage.setItem("mdanderson-review", JSON.stringify({ key: item.value, y: scrollY })); } catch { /* no storage */ }
      location.reload();
    }
  };

  const send = async (address, told) => {
    const answer = await fetch(address, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(told) });
    const text = await answer.text();
    let found = {};
    try { found = JSON.parse(text); } catch { found = { what: text }; }
    return { ok: answer.ok, ...found };
  };

  const save = async () => {
    const told = Object.fromEntries(named.map((name) => [name, field(name).value]));
    form.querySelectorAll("[aria-invalid]").forEach((part) => part.removeAttribute("aria-invalid"));
    fault.hidden = saved.hidden = true;
    const pressed = [...form.querySelectorAll("button")];
    pressed.forEach((button) => { button.disabled = true; });
    let answer;
    try {
      answer = await send(settling ? "/review/settle" : "/review/entry", { ...told, page, item: item.value,
        findings: checked().join(";"), comment: field("comment").value, reader: reader.value });
    } catch (error) {
      answer = { ok: false, what: String(error.message ?? error) };
    }
    pressed.forEach((button) => { button.disabled = false; });
    if (!answer.ok) {
      fault.hidden = false;
      fault.querySelector("span").textContent = answer.what;
      const wrong = answer.field && field(answer.field);
      if (wrong?.setAttribute) { wrong.setAttribute("aria-invalid", "true"); wrong.focus(); }
      return;
    }
    try { if (!reader.readOnly) localStorage.setItem("mdanderson-reader", reader.value); } catch { /* no storage */ }
    saved.hidden = false;
    say(saved, answer.saved);
    field("comment").value = "";
    dirty = false;
    await load();
    one("#review-job").scrollIntoView({ block: "nearest" });
  };

  form.addEventListener("submit", (event) => { event.preventDefault(); save(); });
  form.addEventListener("input", (event) => { if (event.target !== item) dirty = true; });
  item.addEventListener("change", () => choose(item.value));
  one("#review-confirm")?.addEventListener("click", () => {
    const told = state.items[item.value];
    put(told.fields);
    const comment = field("comment");
    comment.value = ["confirmed:", told.shown, comment.value].filter(Boolean).join(" ").trim();
    save();
  });
  one("#review-withdraw")?.addEventListener("click", () => {
    const comment = field("comment");
    if (!comment.value.trim()) { comment.value = ""; comment.reportValidity(); return; }
    const name = state.items[item.value].fresh ? field("lesion_id").value : "";
    put({ lesion_id: name });
    save();
  });

  // Adjudication: the form takes over what one side says.
  for (const dispute of document.querySelectorAll(".dispute")) {
    for (const button of dispute.querySelectorAll(".take")) {
      button.addEventListener("click", async () => {
        document.querySelectorAll(".dispute.current").forEach((part) => part.classList.remove("current"));
        dispute.classList.add("current");
        page = dispute.dataset.page;
        await load();
        choose(dispute.dataset.item);
        put(JSON.parse(button.dataset.fields));
        unfold(true);
        field("comment").focus();
      });
    }
  }

  addEventListener("beforeunload", (event) => { if (dirty && field("comment").value) event.preventDefault(); });
  load().then(() => {
    try {
      const kept = JSON.parse(sessionStorage.getItem("mdanderson-review") ?? "null");
      sessionStorage.removeItem("mdanderson-review");
      if (kept && state.items[kept.key]) { choose(kept.key); scrollTo(0, kept.y); }
    } catch { /* no storage */ }
  });
})();
