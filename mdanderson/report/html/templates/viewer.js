"use strict";
(() => {
  const one = (id) => document.getElementById(id);
  const viewer = one("viewer");
  const all = (selector) => [...document.querySelectorAll(selector)];
  // The lesion as drawn, its place carried here, other lesions; on black and on white.
  const ON_BLACK = { I: [0, 1, 2, 3], R: [0, 255, 76, 255], G: [0, 212, 201, 157], B: [0, 59, 255, 226], A: [0, 255, 255, 255] };
  const ON_WHITE = { I: [0, 1, 2, 3], R: [0, 217, 25, 194], G: [0, 72, 113, 37], B: [0, 15, 194, 92], A: [0, 255, 255, 255] };
  const OPTIONS = {
    logLevel: "silent", loadingText: "", isRadiologicalConvention: true, sagittalNoseLeft: true, show3Dcrosshair: true,
    // Letters and cross-hair of middle tones, seen on white fat and on black air alike (3:1 and more).
    fontColor: [0.91, 0.35, 0.05, 1], crosshairColor: [0.1, 0.65, 0.25, 1],
    multiplanarShowRender: 0, multiplanarPadPixels: 6, crosshairWidthUnit: "mm", crosshairGap: 5, atlasOutline: 1, dragMode: 9,
    dragAndDropEnabled: false, scrollRequiresFocus: true,
  };
  const CROSS_WIDTH = 1.5;  // pixels: a thinner line falls between them, and is not seen
  const FILL = 0.08;  // an outline, through which bone is seen
  let panes = [];
  let opener = null;
  let asked = 0;

  // The code is data on the page until a reader asks for it; its hash stands in the page's policy.
  let started = null;
  const start = () => started ??= (async () => {
    const packed = Uint8Array.from(atob(one("viewer-code").content.textContent), (letter) => letter.charCodeAt(0));
    const unpacked = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
    const script = document.createElement("script");
    script.textContent = await new Response(unpacked).text();
    document.head.append(script);
    return window.niivue;
  })();

  const drawsVolumes = () => {
    const context = document.createElement("canvas").getContext("webgl2");
    context?.getExtension("WEBGL_lose_context")?.loseContext();
    return Boolean(context);
  };

  const drop = (pane) => {
    pane.niivue.cleanup();
    pane.niivue.gl.getExtension("WEBGL_lose_context")?.loseContext();
  };
  const close = () => {
    panes.forEach(drop);
    panes = [];
    one("viewer-panes").replaceChildren();
    one("viewer-failed").hidden = true;
    viewer.classList.remove("failed");
    viewer.hidden = true;
  };

  // Places are millimetres of the baseline, left to right, back to front, foot to head.
  const placeOf = (pane) => [...pane.image.convertFrac2MM(pane.niivue.scene.crosshairPos, true)].slice(0, 3);
  const put = (pane, place) => {
    const at = pane.image.convertMM2Frac(place, true);
    pane.niivue.scene.crosshairPos = at.map((share) => Math.min(1, Math.max(0, share)));
    pane.niivue.drawScene();
    tell(pane);
  };
  const ENDS = ["LR", "PA", "FH"];  // of the axes, negative and positive; NIfTI's go to the right, the front and the head
  const named = (mm, axis) => `${ENDS[axis][mm < 0 ? 0 : 1]} ${Math.abs(mm).toFixed(1)}`;
  const tell = (pane) => {
    const place = placeOf(pane);
    const voxel = pane.image.convertFrac2Vox(pane.niivue.scene.crosshairPos);
    const value = pane.image.getValue(voxel[0], voxel[1], voxel[2]);
    pane.figure.dataset.place = place.map((mm) => mm.toFixed(2)).join(" ");
    pane.output.setAttribute("aria-live", pane.canvas === document.activeElement ? "polite" : "off");
    pane.output.textContent = `${Number(value.toPrecision(4))} ${pane.data.unit} · ${place.map(named).join(" ")} mm`;
  };
  const moved = (pane) => {
    tell(pane);
    if (!one("viewer-link").checked || pane.data.linked !== "true") return;
    const place = placeOf(pane);
    panes.filter((other) => other !== pane && other.data.linked === "true").forEach((other) => put(other, place));
  };

  const drawWindow = (pane) => {
    const chosen = one("viewer-window").value;
    let [low, high] = [Number(pane.data.low), Number(pane.data.high)];
    if (chosen === "half" || chosen === "double") {
      const times = chosen === "half" ? 0.5 : 2;
      const fixed = pane.data.inverse === "true" ? low : (low + high) / 2;  // counts and SUV begin at nothing
      [low, high] = [fixed + (low - fixed) * times, fixed + (high - fixed) * times];
    } else if (chosen !== "pictured") {
      [low, high] = chosen.split(" ").map(Number);
    }
    [pane.image.cal_min, pane.image.cal_max] = [low, high];
    pane.niivue.updateGLVolume();
  };
  const drawCross = (pane) => {
    const { fovMM: [right, up], leftTopWidthHeight: [, , width] } = pane.niivue.screenSlices[0];
    const pixel = up ? Math.abs(right / width) : 0.7;  // mm; a volume seen from outside has none of its own
    pane.niivue.setCrosshairWidth(CROSS_WIDTH * devicePixelRatio * pixel);
  };
  const drawOutline = (pane) => pane.niivue.setOpacity(1, one("viewer-outline").checked ? FILL : 0);

  const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
  const walk = (pane, event) => {
    if (["Tab", "Escape", "Shift"].includes(event.key) || event.ctrlKey || event.metaKey || event.altKey) return;
    event.stopPropagation();  // no hidden key of the library
    const plane = pane.niivue.opts.sliceType;
    const through = { PageUp: 1, PageDown: -1 }[event.key];
    const [right, up] = STEPS[event.key] ?? [0, 0];
    if ([" ", "Home", "End"].includes(event.key)) event.preventDefault();  // they would scroll the page away
    if (!through && !right && !up) return;
    event.preventDefault();
    const by = through ?? 0;
    // The patient's right is at the left of the screen, but for the sagittal plane.
    if (plane === 1) pane.niivue.moveCrosshairInVox(-right, by, up);
    else if (plane === 2) pane.niivue.moveCrosshairInVox(by, -right, up);
    else pane.niivue.moveCrosshairInVox(-right, up, by);
  };

  const pane = async (library, template) => {
    const data = template.dataset;
    const [figure, stage, canvas, output] = ["figure", "div", "canvas", "output"].map((name) => document.createElement(name));
    const caption = document.createElement("figcaption");
    stage.className = "stage";
    stage.append(canvas);
    caption.append(data.title);
    if (data.linked !== "true") {
      const note = one("viewer-unlinked").cloneNode(true);
      note.removeAttribute("id");
      note.hidden = false;
      caption.append(" ", note);
    }
    caption.append(output);
    figure.append(caption, stage);
    one("viewer-panes").append(figure);
    const inverse = data.inverse === "true";
    const niivue = new library.Niivue({ ...OPTIONS, backColor: inverse ? [1, 1, 1, 1] : [0, 0, 0, 1] });
    await niivue.attachToCanvas(canvas, false);
    const [low, high] = [Number(data.low), Number(data.high)];
    const image = await library.NVImage.loadFromBase64({
      base64: template.content.textContent, name: "image.nii.gz", colormap: "gray", cal_min: low, cal_max: high,
    });
    image.colormapInvert = inverse;
    const outlines = await library.NVImage.loadFromBase64({ base64: data.outlines, name: "outlines.nii.gz", opacity: FILL });
    outlines.setColormapLabel(inverse ? ON_WHITE : ON_BLACK);
    niivue.addVolume(image);
    niivue.addVolume(outlines);
    const shown = { niivue, image, data, figure, output, canvas };
    for (const language of ["en", "zh"]) canvas.setAttribute(`data-aria-label-${language}`, template.getAttribute(`data-aria-label-${language}`));
    canvas.setAttribute("role", "application");
    canvas.setAttribute("aria-label", template.getAttribute(`data-aria-label-${document.documentElement.lang}`));
    figure.addEventListener("keydown", (event) => walk(shown, event), true);
    niivue.onLocationChange = () => moved(shown);
    niivue.setSliceType(Number(one("viewer-plane").value));
    return shown;
  };

  const open = async (button) => {
    close();
    const turn = ++asked;
    opener = button;
    button.closest(".wide").after(viewer);
    one("viewer-lesion").textContent = button.dataset.title;
    viewer.hidden = false;
    viewer.setAttribute("aria-busy", "true");
    const templates = all("template.crop").filter((template) => template.dataset.group === button.dataset.group);
    const hounsfield = templates.every((template) => template.dataset.unit === "HU");
    all("#viewer-window .hounsfield").forEach((option) => { option.hidden = option.disabled = !hounsfield; });
    one("viewer-window").value = "pictured";
    try {
      if (!drawsVolumes()) throw new Error("no WebGL2");
      const library = await start();
      for (const template of templates) {
        const shown = await pane(library, template);
        if (turn !== asked) { drop(shown); shown.figure.remove(); return; }
        panes.push(shown);
      }
      for (const shown of panes) {
        drawOutline(shown);
        put(shown, shown.data.middle.split(" ").map(Number));
        drawCross(shown);
      }
    } catch {
      if (turn !== asked) return;
      close();
      viewer.hidden = false;
      viewer.classList.add("failed");
      one("viewer-failed").hidden = false;
    }
    viewer.removeAttribute("aria-busy");
    viewer.focus({ preventScroll: true });
    viewer.scrollIntoView({ block: "nearest" });
  };

  const leave = () => {
    asked += 1;
    close();
    opener?.focus();
  };
  all("button.open-viewer").forEach((button) => {
    button.hidden = false;
    button.addEventListener("click", () => open(button));
  });
  one("viewer-close").addEventListener("click", leave);
  viewer.addEventListener("keydown", (event) => { if (event.key === "Escape") leave(); });
  one("viewer-window").addEventListener("input", () => panes.forEach(drawWindow));
  one("viewer-outline").addEventListener("input", () => panes.forEach(drawOutline));
  one("viewer-plane").addEventListener("input", (event) => panes.forEach((shown) => {
    shown.niivue.setSliceType(Number(event.target.value));
    drawCross(shown);
  }));
  addEventListener("resize", () => requestAnimationFrame(() => panes.forEach(drawCross)));
})();
