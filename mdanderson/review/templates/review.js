"use strict";
(() => {
  const root = document.documentElement;
  const panel = document.querySelector("#review");
  if (!panel) return;
  const inPanel = (selector) => panel.querySelector(selector);
  const form = inPanel("#review-form");
  const itemList = inPanel("#review-item");
  const fields = inPanel("#review-fields");
  const saved = inPanel("#review-saved");
  const fault = inPanel("#review-fault");
  const job = inPanel("#review-job");
  const history = inPanel("#review-history");
  const fold = inPanel("#review-fold");
  const fieldNames = form.dataset.fields.split(" ");
  const settling = "settling" in panel.dataset;
  const narrow = matchMedia("(max-width: 900px)");
  const STORED = "mdanderson-review";
  let page = panel.dataset.page;
  let state = { items: {}, stage: "", job: null, history: null };
  let dirty = false;
  let busy = false;
  let wasScored = false;
  let opener = null;

  const field = (name) => form.elements.namedItem(name);
  const checked = () => [...form.querySelectorAll(".codes input:checked")].map((box) => box.value);

  // What is put on the page here has both languages beside it, and changes with the page.
  const spoken = ["text", "aria-label"];
  const inLanguage = (part, attribute) => {
    const text = JSON.parse(part.getAttribute(`data-both-${attribute}`))[root.lang === "zh" ? 1 : 0];
    if (attribute === "text") part.textContent = text; else part.setAttribute(attribute, text);
  };
  const speak = (part, both, attribute = "text") => {
    part.setAttribute(`data-both-${attribute}`, JSON.stringify(both));
    inLanguage(part, attribute);
  };
  document.querySelector("#language")?.addEventListener("click", () => {
    for (const attribute of spoken) {
      document.querySelectorAll(`[data-both-${attribute}]`).forEach((part) => inLanguage(part, attribute));
    }
  });

  // The reader's name stays in this browser where the server was not told it.
  const reader = field("reader");
  try { if (!reader.value) reader.value = localStorage.getItem("mdanderson-reader") ?? ""; } catch { /* no storage */ }

  const put = (values) => {
    fieldNames.forEach((name) => { field(name).value = values[name] ?? ""; });
    const stated = new Set((values.findings ?? "").split(";").filter(Boolean));
    form.querySelectorAll(".codes input").forEach((box) => { box.checked = stated.has(box.value); });
  };

  const showCodes = (list) => {
    inPanel(".codes").replaceChildren(...list.map(({ code, text }) => {
      const label = document.createElement("label");
      const box = Object.assign(document.createElement("input"), { type: "checkbox", value: code, name: "code" });
      const name = Object.assign(document.createElement("code"), { textContent: code });
      label.append(box, name, Object.assign(document.createElement("span"), { textContent: text, lang: "en" }));
      return label;
    }));
    inPanel("#review-codes .none").hidden = list.length > 0;
  };

  // What the form tells of an item, apart from what the reader fills in.
  const describe = (item) => {
    const shown = inPanel("#review-shown");
    if (shown) speak(shown, item.shown);
    const withdraw = inPanel("#review-withdraw");
    if (withdraw) withdraw.hidden = !item.stated;
    const confirm = inPanel("#review-confirm");
    if (confirm) confirm.hidden = item.fresh;
  };

  const choose = (key) => {
    const item = state.items[key];
    fields.hidden = !item;
    saved.hidden = fault.hidden = true;
    document.querySelectorAll(".review-current").forEach((cell) => cell.classList.remove("review-current"));
    if (!item) return;
    itemList.value = key;
    showCodes(item.codes);
    put(item.fields);
    field("comment").value = "";
    inPanel(".f-measurable").hidden = !item.first;
    inPanel(".f-new").hidden = item.baseline || item.fresh;
    inPanel(".f-lesion_id").hidden = !item.fresh && !item.label;
    inPanel(".f-lesion_id .fresh").hidden = !item.fresh;
    inPanel(".f-lesion_id .old").hidden = item.fresh;
    inPanel("#review-new-lesion").hidden = !item.fresh;
    if (item.fresh && !field("lesion_id").value) field("lesion_id").value = item.name;
    describe(item);
    cellOf(item)?.classList.add("review-current");
    dirty = false;
  };

  const fillLists = () => {
    const chosen = itemList.value;
    const option = (value, textContent) => Object.assign(document.createElement("option"), { value, textContent });
    const options = Object.entries(state.items).map(([key, item]) => {
      const made = option(key, "");
      speak(made, item.titles);
      return made;
    });
    itemList.replaceChildren(itemList.options[0], ...options);
    itemList.value = state.items[chosen] ? chosen : "";
    const lesions = new Set(Object.values(state.items).map((item) => item.lesion).filter(Boolean));
    inPanel("#review-lesions").replaceChildren(...[...lesions].map((name) => option(name, name)));
    fields.hidden = !itemList.value;
    if (itemList.value) describe(state.items[itemList.value]);
  };

  // Beside every picture a button that leads to the form of that lesion and visit. Buttons stay what they are while the
  // results change: one that has the focus keeps it.
  const buttons = new Map();
  const cellOf = (item) => {
    const lesion = [...document.querySelectorAll("article[data-lesion]")].find((part) => part.dataset.lesion === item.lesion);
    const table = lesion && [...lesion.querySelectorAll("table[data-modality]")].find((part) => part.dataset.modality === item.modality);
    return table?.tBodies[0]?.rows[0]?.cells[item.number];
  };
  const buttonOf = (key) => {
    if (buttons.has(key)) return buttons.get(key);
    const button = Object.assign(document.createElement("button"), { type: "button", className: "review-open" });
    button.addEventListener("click", () => {
      opener = button;
      unfold(true);
      choose(key);
      form.querySelector("#review-fields :is(input, select):not([hidden])")?.focus();
    });
    buttons.set(key, button);
    return button;
  };
  const showButtons = () => {
    for (const [key, button] of buttons) {
      if (!(key in state.items)) { button.remove(); buttons.delete(key); }
    }
    for (const [key, item] of Object.entries(state.items)) {
      const cell = cellOf(item);
      if (!cell) continue;
      const button = buttonOf(key);
      button.classList.toggle("stated", item.stated);
      speak(button, state.words.button);
      speak(button, item.button, "aria-label");
      if (button.parentNode !== cell) cell.append(button);
    }
  };

  const unfold = (open) => {
    panel.classList.toggle("folded", !open);
    fold.setAttribute("aria-expanded", String(open));
    fold.textContent = open ? "⇥" : "⇤";
  };
  fold.addEventListener("click", () => unfold(panel.classList.contains("folded")));
  if (narrow.matches) unfold(false);
  panel.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && opener?.isConnected) { event.preventDefault(); opener.focus(); }
  });

  // What went wrong: nobody answers, or an answer that says why. A page that was asked for in vain is asked for again.
  const complain = ({ why = "", saving = false }) => {
    fault.hidden = false;
    fault.dataset.saving = String(saving);
    fault.querySelector(".saving").hidden = !saving;
    fault.querySelector(".lost").hidden = Boolean(why);
    fault.querySelector(".why").textContent = why;
  };

  // A part that is read aloud when it changes is changed only when there is something new.
  const show = (part, html, before) => {
    if (html === before) return;
    const hadFocus = part.contains(document.activeElement);
    part.innerHTML = html;
    if (hadFocus) part.focus();
  };

  // What the server knows; while patients are scored it is asked every second. One question at a time: of several that are
  // under way the last one asked is answered, and only it asks again. True where this one was answered.
  let timer = 0;
  let questions = 0;
  let isNew = true;
  const load = async () => {
    clearTimeout(timer);
    if (!page) return false;
    const question = ++questions;
    const asked = page;
    let now;
    let why = "";
    try {
      const answer = await fetch(`/review/state?page=${encodeURIComponent(page)}`);
      if (answer.ok) now = await answer.json(); else why = await answer.text();
    } catch { /* nobody answers */ }
    if (question !== questions) return false;
    if (!now) {
      complain({ why });
      timer = setTimeout(load, 5000);
      return false;
    }
    if (fault.dataset.saving === "false") fault.hidden = true;
    const before = state;
    now.page = asked;
    if (!Object.keys(now.items).length && before.page === asked) now.items = before.items;  // results are just being replaced
    state = now;
    show(job, now.job, before.job);
    show(history, now.history, before.history);
    if (JSON.stringify(now.items) !== JSON.stringify(before.items)) {
      fillLists();
      showButtons();
    }
    if (isNew) restore();
    isNew = false;
    if (now.busy) {
      wasScored = true;
      timer = setTimeout(load, 1000);
    } else if (now.stage === "done" && wasScored && before.stage !== "done" && !dirty && !document.querySelector("#viewer:not([hidden])")) {
      reload();
    }
    return true;
  };

  // The new page shows the same place, with the focus where it was.
  const reload = () => {
    const focused = document.activeElement;
    const inForm = panel.contains(focused);
    const kept = {
      key: itemList.value,
      y: scrollY,
      button: [...buttons].find(([, button]) => button === focused)?.[0] ?? "",
      dispute: settling ? document.querySelector(".dispute.current")?.id ?? "" : "",
      id: inForm ? "" : focused?.id ?? "",
      inForm: inForm || focused === document.body,
    };
    try { sessionStorage.setItem(STORED, JSON.stringify(kept)); } catch { /* no storage */ }
    location.reload();
  };
  const restore = () => {
    let kept = null;
    try {
      kept = JSON.parse(sessionStorage.getItem(STORED) ?? "null");
      sessionStorage.removeItem(STORED);
    } catch { /* no storage */ }
    if (!kept) return;
    if (state.items[kept.key]) choose(kept.key);
    if (kept.inForm && state.items[kept.key]) unfold(true);
    const part = buttons.get(kept.button) ?? document.getElementById(kept.id || kept.dispute)
      ?? (kept.inForm && !settling ? itemList : null);
    part?.focus({ preventScroll: true });
    scrollTo(0, kept.y);
  };

  const send = async (address, sent) => {
    const answer = await fetch(address, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(sent) });
    const text = await answer.text();
    let found = {};
    try { found = JSON.parse(text); } catch { found = { what: text }; }
    return { ok: answer.ok, ...found };
  };

  // Buttons that may not be pressed twice stay where the focus is.
  const setBusy = (now) => {
    busy = now;
    form.querySelectorAll("button").forEach((button) => button.setAttribute("aria-disabled", String(now)));
  };

  const save = async () => {
    if (busy) return;
    const values = Object.fromEntries(fieldNames.map((name) => [name, field(name).value]));
    form.querySelectorAll("[aria-invalid]").forEach((part) => part.removeAttribute("aria-invalid"));
    fault.hidden = saved.hidden = true;
    setBusy(true);
    let answer;
    try {
      answer = await send(settling ? "/review/settle" : "/review/entry", { ...values, page, item: itemList.value,
        findings: checked().join(";"), comment: field("comment").value, reader: reader.value });
    } catch {
      answer = { ok: false };
    }
    setBusy(false);
    if (!answer.ok) {
      complain({ why: answer.what ?? "", saving: true });
      const wrong = answer.field && field(answer.field);
      if (wrong?.setAttribute) { wrong.setAttribute("aria-invalid", "true"); wrong.focus(); }
      return;
    }
    try { if (!reader.readOnly) localStorage.setItem("mdanderson-reader", reader.value); } catch { /* no storage */ }
    saved.hidden = false;
    speak(saved, answer.saved);
    field("comment").value = "";
    dirty = false;
    await load();
    job.scrollIntoView({ block: "nearest" });
  };

  form.addEventListener("submit", (event) => { event.preventDefault(); save(); });
  form.addEventListener("input", (event) => { if (event.target !== itemList) dirty = true; });
  itemList.addEventListener("change", () => choose(itemList.value));
  job.addEventListener("click", (event) => {
    if (event.target.closest(".review-again")) send("/review/rescore", { page }).then((answer) => answer.ok ? load() : complain({ why: answer.what }), () => complain({}));
  });
  inPanel("#review-confirm")?.addEventListener("click", () => {
    if (busy) return;
    const item = state.items[itemList.value];
    put(item.fields);
    const comment = field("comment");
    comment.value = ["confirmed:", item.shown[0], comment.value].filter(Boolean).join(" ").trim();
    save();
  });
  inPanel("#review-withdraw")?.addEventListener("click", () => {
    if (busy) return;
    const comment = field("comment");
    if (!comment.value.trim()) { comment.value = ""; comment.reportValidity(); return; }
    const name = state.items[itemList.value].fresh ? field("lesion_id").value : "";
    put({ lesion_id: name });
    save();
  });

  // Adjudication: the form takes over what one side says.
  for (const dispute of document.querySelectorAll(".dispute")) {
    for (const button of dispute.querySelectorAll(".take")) {
      button.addEventListener("click", async () => {
        document.querySelectorAll(".dispute.current").forEach((part) => part.classList.remove("current"));
        dispute.classList.add("current");
        opener = button;
        if (page !== dispute.dataset.page) wasScored = false;
        page = dispute.dataset.page;
        if (!await load()) return;
        choose(dispute.dataset.item);
        put(JSON.parse(button.dataset.fields));
        unfold(true);
        field("comment").focus();
      });
    }
  }

  addEventListener("beforeunload", (event) => { if (dirty && field("comment").value) event.preventDefault(); });
  if (page) load(); else restore();
})();
