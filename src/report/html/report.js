// Makes a report answer questions: zoom, hover, filter, search, jump. Without this script the report stays readable.
"use strict";

// Puts a text where it can be pasted from.
async function hcidiffCopy(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // A page from the disk may not be allowed to use the clipboard directly.
    const area = document.createElement("textarea");
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
}

function hcidiffReport(root) {
  const block = root.querySelector("#hcidiff-steps");
  const figure = root.querySelector("figure");
  if (!block) return;
  const lists = JSON.parse(block.textContent).lists;
  if (!lists.length) return;

  // Most rows drawn at once; the search finds the rest.
  const MOST_ROWS = 400;
  const state = { list: 0, search: "", phases: new Set(), equal: true, normal: false, selected: null };

  function element(tag, attributes, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) {
      if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
      else if (value === true) made.setAttribute(name, "");
      else if (value !== false) made.setAttribute(name, value);
    }
    made.append(...children.filter((child) => child !== null));
    return made;
  }

  // Like the program's own: 1.23 s, 45 ms, 850 us.
  function time(us) {
    if (us === null) return "";
    const size = Math.abs(us);
    if (size >= 1e6) return (us / 1e6).toFixed(2) + " s";
    if (size >= 1e5) return Math.round(us / 1e3) + " ms";
    if (size >= 1e3) return String(Number((us / 1e3).toFixed(1))) + " ms";
    return us + " us";
  }

  // ---- the table ----
  const body = element("tbody");
  const head = element("thead");
  const count = element("p", { class: "faint", role: "status" });
  const details = element("div", { class: "step-details", "aria-live": "polite" });

  function fits(row) {
    if (row.kind === "same" && row.sign && !state.equal) return false;
    if (row.normal && row.kind !== "same" && !state.normal) return false;
    if (state.phases.size && !state.phases.has(row.phase)) return false;
    if (!state.search) return true;
    const frames = row.at.map((at) => at ? placeOf(at) + " " + at.outcome : "").join(" ");
    return (row.name + " " + row.note + " " + row.phase + " " + frames).toLowerCase().includes(state.search);
  }

  // Where a step stands in its capture, or a line in its witness.
  function placeOf(at) {
    return at.cites || String(at.frame);
  }

  function draw() {
    const list = lists[state.list];
    const columns = list.sides.flatMap((side) => [
      element("th", { scope: "col", class: "right" }, "frame"),
      element("th", { scope: "col", class: "right" }, side.label),
    ]);
    head.replaceChildren(element("tr", {}, element("th", { scope: "col" }, element("span", { class: "away" }, "sign")),
      element("th", { scope: "col" }, "step"), ...columns, element("th", { scope: "col" }, "note")));
    const rows = list.rows.filter(fits);
    body.replaceChildren(...rows.slice(0, MOST_ROWS).map((row) => line(list, row)));
    const hidden = rows.length - Math.min(rows.length, MOST_ROWS);
    count.textContent = rows.length + " of " + list.rows.length + (list.rows.some(isWitness) ? " steps and lines of witnesses" : " steps")
      + (hidden ? "; " + hidden + " more fit: search for them" : "")
      + (list.more ? "; " + list.more + " steps are in the JSON report alone" : "");
  }

  function line(list, row) {
    const cells = row.at.flatMap((at) => at
      ? [element("td", { class: "right" }, placeOf(at)), element("td", { class: "right" }, time(at.us))]
      : [element("td", { class: "right" }, "·"), element("td", {})]);
    const button = element("button", { type: "button", class: "step", onclick: () => select(list, row) }, row.name);
    const made = element("tr", { class: "row " + row.kind + (row.normal ? " normal" : "") },
      element("td", {}, row.sign), element("td", {}, button), ...cells, element("td", {}, row.note));
    if (row === state.selected) made.classList.add("selected");
    row.line = made;
    return made;
  }

  function filterOf(at) {
    return at.frame === at.last ? "frame.number == " + at.frame : "frame.number in {" + at.frame + ".." + at.last + "}";
  }

  // A line of a log, or a packet on the air: it stands in a file of its own.
  function isWitness(row) {
    return row.at.some((at) => at && at.cites);
  }

  function witness(lane, row, at) {
    const facts = [["witness", at.witness], ["place", at.cites]];
    if (at.us !== null) facts.push(["after", time(at.us)]);
    const made = element("dl", { class: "items" });
    facts.forEach(([name, value]) => made.append(element("dt", {}, name), element("dd", {}, value)));
    if (row.phase === "on the air") made.append(element("dt", {}, "in Wireshark"), element("dd", {}, element("code", {}, filterOf(at))));
    return element("div", {}, element("h4", {}, "Beside " + lane.label), made);
  }

  function select(list, row) {
    state.selected = row;
    body.querySelectorAll(".selected").forEach((other) => other.classList.remove("selected"));
    if (row.line) row.line.classList.add("selected");
    const parts = row.at.map((at, side) => {
      const lane = list.sides[side];
      if (!at && isWitness(row)) return null;
      if (!at) return element("p", {}, element("strong", {}, lane.label + ": "), "did not do this");
      if (at.cites) return witness(lane, row, at);
      const facts = [["frame", at.frame === at.last ? String(at.frame) : at.frame + " to " + at.last], ["after", time(at.us)]];
      if (at.took) facts.push(["took", time(at.took)]);
      facts.push(["way", at.by], ["outcome", at.outcome]);
      if (at.count > 1) facts.push(["packets or pairs", String(at.count)]);
      if (at.bytes) facts.push(["bytes of values", String(at.bytes)]);
      if (at.handle) facts.push(["attribute handle", "0x" + at.handle.toString(16).padStart(4, "0")]);
      const made = element("dl", { class: "items" });
      facts.forEach(([name, value]) => made.append(element("dt", {}, name), element("dd", {}, value)));
      if (lane.numbered) made.append(element("dt", {}, "in Wireshark"), element("dd", {}, element("code", {}, filterOf(at))));
      return element("div", {}, element("h4", {}, lane.label), made);
    });
    details.replaceChildren(element("div", {}, element("h3", {}, row.name), row.note ? element("p", {}, row.note) : null, ...parts));
    light(row.at.map((at, side) => at && !at.cites ? list.sides[side].capture + ":" + at.frame : null));
  }

  // ---- from frames to rows and marks ----
  function light(places) {
    root.querySelectorAll(".mark.lit").forEach((mark) => mark.classList.remove("lit"));
    const marks = [...root.querySelectorAll(".mark[data-at]")];
    places.filter(Boolean).forEach((place) => {
      const [capture, frame] = place.split(":").map(Number);
      // A mark may stand for several steps: the last one that begins before the frame.
      const before = marks.filter((mark) => {
        const [of, at] = mark.dataset.at.split(":").map(Number);
        return of === capture && !(at > frame);
      });
      const best = Math.max(...before.map((mark) => Number(mark.dataset.at.split(":")[1])));
      before.filter((mark) => Number(mark.dataset.at.split(":")[1]) === best).forEach((mark) => mark.classList.add("lit"));
    });
  }

  // The step that holds a frame, else the last one before it.
  function go(place) {
    const [capture, frame] = place.split(":").map(Number);
    let best = null;
    lists.forEach((list, index) => list.sides.forEach((lane, side) => {
      if (lane.capture !== capture) return;
      list.rows.forEach((row) => {
        const at = row.at[side];
        if (!at || at.cites || at.frame > frame) return;
        const inside = !(frame > at.last);
        const better = !best || (inside && !best.inside) || (inside === best.inside && at.frame > best.at.frame);
        if (better) best = { index, list, row, at, inside };
      });
    }));
    if (!best) return;
    state.list = best.index;
    choice.value = String(best.index);
    // What was jumped to must be in sight.
    Object.assign(state, { search: "", equal: true, normal: true });
    state.phases.clear();
    settle();
    draw();
    select(best.list, best.row);
    if (best.row.line) best.row.line.scrollIntoView({ block: "center" });
  }

  // ---- what can be set ----
  const choice = element("select", { onchange: (event) => { state.list = Number(event.target.value); state.selected = null; details.replaceChildren(); draw(); } },
    ...lists.map((list, index) => element("option", { value: String(index) }, list.title)));
  const search = element("input", { type: "search", placeholder: "name, UUID, frame", oninput: (event) => { state.search = event.target.value.trim().toLowerCase(); draw(); } });
  const equal = element("input", { type: "checkbox", onchange: (event) => { state.equal = event.target.checked; draw(); } });
  const normal = element("input", { type: "checkbox", onchange: (event) => { state.normal = event.target.checked; draw(); } });
  const known = [...new Set(lists.flatMap((list) => list.rows.map((row) => row.phase)))];
  const phases = known.map((phase) => {
    const box = element("input", { type: "checkbox", onchange: (event) => { if (event.target.checked) state.phases.add(phase); else state.phases.delete(phase); draw(); } });
    return { phase, box };
  });

  function settle() {
    search.value = state.search;
    equal.checked = state.equal;
    normal.checked = state.normal;
    phases.forEach(({ phase, box }) => { box.checked = state.phases.has(phase); });
  }

  const pair = lists[0].sides.length === 2;
  const explore = element("section", { class: "explore" },
    element("h2", {}, "Explore the steps"),
    element("div", { class: "switches" },
      lists.length > 1 ? element("label", {}, "Attempt ", choice) : null,
      element("label", {}, "Search ", search),
      pair ? element("label", {}, equal, " equal steps") : null,
      pair ? element("label", {}, normal, " normal differences") : null),
    element("fieldset", { class: "switches" }, element("legend", {}, "Only"),
      ...phases.map(({ phase, box }) => element("label", {}, box, " " + phase))),
    count,
    element("div", { class: "scroll tall", tabindex: "0", role: "region", "aria-label": "Steps" }, element("table", {}, head, body)),
    details);

  // ---- the picture ----
  function zoomable(svg) {
    const [, , width, height] = svg.getAttribute("viewBox").split(" ").map(Number);
    const view = { x: 0, y: 0, part: 1 };
    const apply = () => {
      view.part = Math.min(1, Math.max(0.05, view.part));
      view.x = Math.min(width * (1 - view.part), Math.max(0, view.x));
      view.y = Math.min(height * (1 - view.part), Math.max(0, view.y));
      svg.setAttribute("viewBox", [view.x, view.y, width * view.part, height * view.part].join(" "));
    };
    const zoom = (by, x, y) => {
      const before = view.part;
      view.part = Math.min(1, Math.max(0.05, view.part * by));
      view.x += width * (before - view.part) * x;
      view.y += height * (before - view.part) * y;
      apply();
    };
    const pan = (x, y) => { view.x += width * view.part * x; view.y += height * view.part * y; apply(); };
    svg.addEventListener("wheel", (event) => {
      if (!event.ctrlKey) return;
      event.preventDefault();
      const box = svg.getBoundingClientRect();
      zoom(event.deltaY > 0 ? 1.2 : 1 / 1.2, (event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height);
    }, { passive: false });
    svg.addEventListener("pointermove", (event) => {
      if (event.buttons !== 1 || view.part === 1) return;
      const box = svg.getBoundingClientRect();
      pan(-event.movementX / box.width, -event.movementY / box.height);
    });
    const reset = () => { view.x = 0; view.y = 0; view.part = 1; apply(); };
    return { zoom, pan, reset };
  }

  if (figure) {
    const pictures = [...figure.querySelectorAll("svg")].map(zoomable);
    const all = (what) => () => pictures.forEach(what);
    const tools = element("p", { class: "switches picture-tools" },
      element("button", { type: "button", "aria-label": "Zoom in", onclick: all((p) => p.zoom(1 / 1.5, 0.5, 0.5)) }, "+"),
      element("button", { type: "button", "aria-label": "Zoom out", onclick: all((p) => p.zoom(1.5, 0.5, 0.5)) }, "−"),
      element("button", { type: "button", "aria-label": "Move left", onclick: all((p) => p.pan(-0.3, 0)) }, "←"),
      element("button", { type: "button", "aria-label": "Move right", onclick: all((p) => p.pan(0.3, 0)) }, "→"),
      element("button", { type: "button", onclick: all((p) => p.reset()) }, "Whole picture"),
      element("span", { class: "faint" }, "Ctrl and wheel zoom, dragging moves, a click on a mark shows its step."));
    figure.prepend(tools);
    figure.querySelectorAll(".mark[data-at]").forEach((mark) => {
      mark.addEventListener("click", () => go(mark.dataset.at));
    });
  }
  // The verdict comes first: the steps are for those who doubt it.
  const findings = root.querySelectorAll(".finding");
  const before = findings.length ? findings[findings.length - 1] : figure;
  if (before) before.after(explore); else root.append(explore);

  root.querySelectorAll(".proof[data-at]").forEach((proof) => {
    const place = proof.dataset.at;
    const frame = place.split(":")[1];
    proof.after(" ", element("button", { type: "button", class: "step", "aria-label": "Show the step of frame " + frame, onclick: () => go(place) }, "show"));
  });

  // ---- to be pasted ----
  const markdown = root.querySelector("#hcidiff-markdown");
  if (markdown) {
    const text = JSON.parse(markdown.textContent);
    const said = element("span", { role: "status" });
    const copy = async () => {
      await hcidiffCopy(text);
      said.textContent = " Copied.";
    };
    root.querySelector(".who").after(element("p", {}, element("button", { type: "button", onclick: copy }, "Copy as Markdown"), said));
  }

  settle();
  draw();
}
