// The page: files are chosen, a worker looks at them, the report is shown. Nothing is sent anywhere.
"use strict";
(() => {
  const SIDES = ["works", "fails"];
  const PLACES = [...SIDES, "log"];
  // Longer pasted texts are refused before they are copied once more.
  const LONGEST_TEXT = 64 * 1024 * 1024;
  const find = (id) => document.getElementById(id);

  // What was chosen: for each side a blob and its name.
  const chosen = { works: null, fails: null, log: null };
  let outcome = null;

  // ---- the worker ----
  // The module is unpacked once; a worker that was stopped is replaced by a new one with the same module.
  const workerAddress = URL.createObjectURL(new Blob([find("worker").textContent], { type: "text/javascript" }));
  const unpacked = (async () => {
    const packed = Uint8Array.from(atob(find("module").textContent), (letter) => letter.charCodeAt(0));
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
    return WebAssembly.compile(await new Response(stream).arrayBuffer());
  })();

  class Helper {
    constructor() {
      this.jobs = new Map();
      this.number = 0;
      this.worker = null;
    }

    start() {
      this.worker = new Worker(workerAddress);
      this.fresh = true;
      this.worker.onmessage = ({ data }) => {
        const job = this.jobs.get(data.job);
        if (!job) return;
        if ("progress" in data) return job.progress(data.progress);
        this.jobs.delete(data.job);
        // A module that stopped in the middle is in no known state.
        if (data.broken) this.stop();
        if ("trouble" in data) job.reject(new Error(data.trouble)); else job.resolve(data);
      };
      this.worker.onerror = () => this.fail("the worker could not be started");
    }

    async ask(message, progress = () => {}) {
      const module = await unpacked;
      if (!this.worker) this.start();
      const job = ++this.number;
      const answer = new Promise((resolve, reject) => this.jobs.set(job, { resolve, reject, progress }));
      this.worker.postMessage(this.fresh ? { ...message, job, module } : { ...message, job });
      this.fresh = false;
      return answer;
    }

    fail(says) {
      const waiting = [...this.jobs.values()];
      this.stop();
      waiting.forEach((job) => job.reject(new Error(says)));
    }

    stop() {
      if (this.worker) this.worker.terminate();
      this.worker = null;
      this.jobs.clear();
    }
  }

  const reader = new Helper();
  const dictionary = new Helper();
  const maker = new Helper();
  const warmer = new Helper();

  // The browser compiles the module well only where it runs often, and the workers share what is compiled. So it runs
  // while somebody still looks for a file. Nothing depends on it.
  function warm() {
    if (chosen.works || chosen.fails) return;
    const done = () => {
      warmer.stop();
      document.body.dataset.warm = "";
    };
    warmer.ask({ kind: "warm" }).then(done, done);
  }

  // ---- files ----
  function trouble(says) {
    find("trouble").textContent = says;
  }

  function size(bytes) {
    for (const unit of ["bytes", "KB", "MB"]) {
      if (bytes < 1000) return (unit === "bytes" ? bytes : bytes.toFixed(1)) + " " + unit;
      bytes /= 1000;
    }
    return bytes.toFixed(1) + " GB";
  }

  function put(side, blob, name) {
    chosen[side] = blob ? { blob, name } : null;
    find("name-" + side).textContent = blob ? name + " (" + size(blob.size) + ")" : "nothing yet";
    document.querySelector('[data-remove="' + side + '"]').hidden = !blob;
    find("swap").hidden = !chosen.works || !chosen.fails;
  }

  // One file goes where there is room, the failing side first: one capture alone is mostly the one that fails.
  function take(files, side) {
    trouble("");
    if (files.length > 2) {
      return trouble("That are " + files.length + " files. hcidiff compares two captures: drop the one that works and the one that fails.");
    }
    if (files.length === 2) {
      put("works", files[0], files[0].name);
      put("fails", files[1], files[1].name);
    } else if (files.length === 1) {
      put(side || (chosen.fails && !chosen.works ? "works" : "fails"), files[0], files[0].name);
    }
    examine();
  }

  function dropped(event) {
    event.preventDefault();
    document.body.classList.remove("over");
    const items = [...(event.dataTransfer.items || [])].filter((item) => item.kind === "file");
    const entries = items.map((item) => item.webkitGetAsEntry && item.webkitGetAsEntry());
    if (entries.some((entry) => entry && entry.isDirectory)) {
      return trouble("That is a folder. Drop the capture files themselves.");
    }
    const place = event.target.closest && event.target.closest(".place");
    const files = [...event.dataTransfer.files];
    if (files.length) return take(files, place && files.length === 1 ? place.id.replace("place-", "") : null);
    const text = event.dataTransfer.getData("text/plain");
    if (text) paste(text, place ? place.id.replace("place-", "") : null);
  }

  function paste(text, side) {
    if (text.length > LONGEST_TEXT) return trouble("That text is too long to be pasted. Save it as a file and drop that.");
    if (!text.trim()) return trouble("There is no text to look at.");
    take([new File([text], "pasted.txt", { type: "text/plain" })], side);
  }

  // ---- looking ----
  let running = 0;

  async function examine(asked = {}) {
    const captures = SIDES.map((side) => chosen[side]).filter(Boolean);
    const files = captures.length ? [...captures, chosen.log].filter(Boolean) : [];
    const mine = ++running;
    reader.stop();
    maker.stop();
    warmer.stop();
    find("working").hidden = true;
    if (!files.length) {
      find("result").hidden = true;
      if (chosen.log) trouble("A log is looked at beside a capture. To look at a log alone, choose it in the place of a capture.");
      return;
    }
    const empty = files.find((file) => file.blob.size === 0);
    if (empty) return trouble(empty.name + " is empty: nothing was recorded in it.");
    trouble("");
    find("progress").value = 0;
    find("working").hidden = false;
    asked = { ...asked, show_addresses: find("addresses").checked, salvage: find("salvage").checked };
    try {
      const answer = await reader.ask({ kind: "examine", files, captures: captures.length, asked }, (part) => { find("progress").value = part; });
      if (mine === running) show(JSON.parse(answer.outcome), asked);
    } catch (error) {
      if (mine !== running) return;
      find("result").hidden = true;
      trouble(error.message);
    } finally {
      if (mine === running) find("working").hidden = true;
    }
  }

  function cancel() {
    running += 1;
    reader.stop();
    find("working").hidden = true;
    trouble("Cancelled. The files are still chosen: change something, or drop others.");
  }

  // ---- the report ----
  function show(result, asked) {
    outcome = result;
    // The page has the report's style already, and its policy names no other.
    const bare = result.html.replace(/<style>[^]*?<\/style>/, "");
    const parsed = new DOMParser().parseFromString(bare, "text/html");
    const report = document.importNode(parsed.querySelector("main"), true);
    report.classList.add("page");
    find("report").replaceChildren(report);
    const pair = result.captures.length === 2;
    choices("works", pair ? result.captures[0] : null, asked.reference_connection);
    choices("fails", result.captures[pair ? 1 : 0], asked.subject_connection);
    find("done").textContent = "";
    find("result").hidden = false;
    document.title = "hcidiff: " + result.headline;
    hcidiffReport(report);
    report.scrollIntoView({ block: "start" });
  }

  function choices(side, capture, number) {
    const select = find("attempt-" + side);
    find("choice-" + side).hidden = !capture || capture.attempts.length < 2;
    if (!capture) return select.replaceChildren();
    const options = [new Option("chosen by hcidiff", "")];
    capture.attempts.forEach((attempt) => options.push(new Option("#" + attempt.number + " " + attempt.says, attempt.number)));
    select.replaceChildren(...options);
    select.value = number ? String(number) : "";
  }

  function asked() {
    const number = (side) => Number(find("attempt-" + side).value) || null;
    return { reference_connection: number("works"), subject_connection: number("fails") };
  }

  // The report's script, which is in this page too, knows how to copy.
  async function copy() {
    await hcidiffCopy(outcome.markdown);
    find("done").textContent = "Copied.";
  }

  const KINDS = { md: ["markdown", "text/markdown"], html: ["html", "text/html"] };

  function save(ending) {
    const [form, type] = KINDS[ending];
    keep("hcidiff." + ending, [outcome[form]], type);
    find("done").textContent = "Saved as hcidiff." + ending + ".";
  }

  // What is made on demand goes to a worker of its own, so that it can be cancelled with the page's other work.
  async function made(message, places = SIDES) {
    const files = places.map((side) => chosen[side]).filter(Boolean);
    find("done").textContent = "Working …";
    try {
      return await maker.ask({ ...message, files });
    } catch (error) {
      find("done").textContent = "";
      trouble(error.message);
      find("trouble").scrollIntoView({ block: "center" });
      return null;
    }
  }

  function keep(name, parts, type) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob(parts, { type }));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  }

  // JSON is made when it is asked for: it names each capture by a digest, for which all its bytes are needed.
  async function json() {
    trouble("");
    const captures = SIDES.filter((side) => chosen[side]).length;
    const answer = await made({ kind: "json", captures, asked: { ...asked(), salvage: find("salvage").checked } }, PLACES);
    if (!answer) return;
    keep("hcidiff.json", [answer.json], "application/json");
    find("done").textContent = "Saved as hcidiff.json.";
  }

  async function bundle() {
    trouble("");
    const answer = await made({ kind: "bundle" });
    if (!answer) return;
    keep("hcidiff-bundle.zip", [answer.bundle], "application/zip");
    find("done").textContent = "Saved as hcidiff-bundle.zip: its MANIFEST.md says what was taken out.";
  }

  async function recipe() {
    trouble("");
    const answer = await made({ kind: "recipe", target: find("target").value, asked: { ...asked(), salvage: find("salvage").checked } });
    if (!answer) return;
    answer.recipe.files.forEach(([name, text]) => keep(name, [text], "text/plain"));
    const names = answer.recipe.files.map(([name]) => name).join(", ");
    find("done").textContent = "Saved as " + names + ". Mind: " + answer.recipe.says.join("; ") + ".";
  }

  // ---- words ----
  async function explain(question) {
    const answer = find("answer");
    if (!question.trim()) {
      answer.hidden = true;
      return;
    }
    try {
      answer.textContent = (await dictionary.ask({ kind: "explain", question })).answer;
    } catch (error) {
      answer.textContent = error.message;
    }
    answer.hidden = false;
  }

  // `#explain=0x3e` asks at once, so an answer has an address.
  function deep() {
    const wanted = /^#explain=(.*)$/.exec(location.hash);
    if (!wanted) return;
    let question = wanted[1];
    try { question = decodeURIComponent(question); } catch { /* As it stands. */ }
    find("question").value = question;
    explain(question);
  }

  // ---- what is clicked ----
  document.addEventListener("dragover", (event) => { event.preventDefault(); document.body.classList.add("over"); });
  document.addEventListener("dragleave", (event) => { if (!event.relatedTarget) document.body.classList.remove("over"); });
  document.addEventListener("drop", dropped);
  document.addEventListener("paste", (event) => {
    if (event.target.closest("input, textarea")) return;
    const files = [...event.clipboardData.files];
    if (files.length) take(files, null); else paste(event.clipboardData.getData("text/plain"), null);
  });
  PLACES.forEach((side) => {
    find("file-" + side).addEventListener("change", (event) => { take([...event.target.files], side); event.target.value = ""; });
    document.querySelector('[data-choose="' + side + '"]').addEventListener("click", () => find("file-" + side).click());
    document.querySelector('[data-remove="' + side + '"]').addEventListener("click", () => { put(side, null); trouble(""); examine(); });
    document.querySelector('[data-paste="' + side + '"]').addEventListener("click", () => {
      find("pasting").hidden = false;
      find("pasting").dataset.side = side;
      find("pasted").focus();
    });
  });
  SIDES.forEach((side) => find("attempt-" + side).addEventListener("change", () => examine(asked())));
  find("pasting").addEventListener("submit", (event) => {
    event.preventDefault();
    find("pasting").hidden = true;
    paste(find("pasted").value, find("pasting").dataset.side);
    find("pasted").value = "";
  });
  find("pasting-off").addEventListener("click", () => { find("pasting").hidden = true; });
  find("swap").addEventListener("click", () => {
    const { works, fails } = chosen;
    put("works", fails.blob, fails.name);
    put("fails", works.blob, works.name);
    examine();
  });
  ["addresses", "salvage"].forEach((id) => find(id).addEventListener("change", () => examine(asked())));
  find("json").addEventListener("click", json);
  find("bundle").addEventListener("click", bundle);
  find("recipe").addEventListener("click", recipe);
  find("cancel").addEventListener("click", cancel);
  find("copy").addEventListener("click", copy);
  document.querySelectorAll("[data-save]").forEach((button) => button.addEventListener("click", () => save(button.dataset.save)));
  find("explain").addEventListener("submit", (event) => {
    event.preventDefault();
    const question = find("question").value;
    history.replaceState(null, "", question ? "#explain=" + encodeURIComponent(question) : "#");
    explain(question);
  });
  window.addEventListener("hashchange", deep);
  deep();
  dictionary.ask({ kind: "version" }).then(({ version }) => { find("version").textContent = version; warm(); }, (error) => trouble(error.message));
})();
