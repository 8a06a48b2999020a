// How fast the page is beside the program: both read the same capture and make the same outputs, in turn.
//
//   node speed.mjs PAGE.html PROGRAM CAPTURE [ROUNDS]
//
// The program reads one capture in one thread. What is measured is what somebody waits for: the report, as HTML and as
// Markdown. The page's time runs from the moment in which the file is chosen until the report stands in the page. JSON is
// compared once, octet for octet. On Linux the processor's time is measured too, of all processes of the browser: on a
// busy machine it is the number to compare.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

const [page, program, capture] = process.argv.slice(2, 5).map((path) => resolve(path));
const rounds = Number(process.argv[5] || 5);
const PATIENCE = 600_000;

const work = mkdtempSync(join(tmpdir(), "hcidiff-speed-"));
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"],
});

function native(endings) {
  const outputs = endings.flatMap((ending) => ["-o", join(work, "native." + ending)]);
  const before = process.hrtime.bigint();
  const done = spawnSync(program, [capture, "--quiet", "--exit-zero", ...outputs], { stdio: ["ignore", "ignore", "pipe"] });
  assert.equal(done.status, 0, String(done.stderr));
  return Number(process.hrtime.bigint() - before) / 1e9;
}

// Fields of a process behind its name: its parent is the second; its own time, then that of children that have ended.
function times(pid) {
  const text = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ").map(Number);
  return { parent: fields[1], own: (fields[11] + fields[12]) / 100, ended: (fields[13] + fields[14]) / 100 };
}

// Processor time of this process's children that have ended, and of all living processes below it.
function cpu() {
  if (!existsSync("/proc/self/stat")) return { program: NaN, browser: NaN };
  const found = new Map();
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try { found.set(Number(pid), times(pid)); } catch { /* It has just ended. */ }
  }
  const below = (pid) => {
    const parent = found.get(pid)?.parent;
    return parent === process.pid || (parent > 1 && below(parent));
  };
  const browser = [...found].filter(([pid]) => below(pid)).reduce((sum, [, { own }]) => sum + own, 0);
  return { program: found.get(process.pid).ended, browser };
}

const context = await browser.newContext({ acceptDownloads: true });

// A new tab each time, as somebody meets it. It also says when its first picture stood. What the page does before a file is
// chosen is not in its time: see `warm` in page.js.
async function inThePage(check) {
  const tab = await context.newPage();
  tab.setDefaultTimeout(PATIENCE);
  await tab.goto(pathToFileURL(page).href);
  await tab.waitForFunction(() => document.querySelector("#version").textContent);
  // Nobody has chosen a file so soon: the page uses that time to have its module compiled well.
  await tab.waitForFunction(() => "warm" in document.body.dataset);
  const paint = await tab.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0]?.startTime);
  await tab.evaluate(() => {
    window.took = new Promise((ready) => {
      let from;
      document.querySelector("#file-fails").addEventListener("change", () => { from = performance.now(); }, true);
      new MutationObserver(() => {
        if (document.querySelector("#report main h1")) ready((performance.now() - from) / 1000);
      }).observe(document.querySelector("#report"), { childList: true });
    });
  });
  const before = cpu().browser;
  await tab.setInputFiles("#file-fails", capture);
  const took = await tab.evaluate(() => window.took);
  const used = cpu().browser - before;
  if (check) {
    const [download] = await Promise.all([tab.waitForEvent("download"), tab.click('#json')]);
    assert.ok(readFileSync(await download.path()).equals(readFileSync(join(work, "native.json"))), "JSON differs from the program's");
  }
  await tab.close();
  return { took, used, paint: paint / 1000 };
}

const middle = (numbers) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)];

// Once without a clock: both have the file in the system's memory then.
native(["json"]);
await inThePage(true);
const rows = [];
for (let round = 0; round < rounds; round += 1) {
  const before = cpu().program;
  const program = { took: native(["html", "md"]), used: cpu().program - before };
  rows.push({ program, page: await inThePage(false) });
}
await browser.close();
rmSync(work, { recursive: true });

console.log("| | program s | page s | times | program CPU s | page CPU s | times |\n| --- | ---: | ---: | ---: | ---: | ---: | ---: |");
function line(name, program, page) {
  const parts = [program.took, page.took, page.took / program.took, program.used, page.used, page.used / program.used];
  console.log(`| ${name} | ` + parts.map((part) => part.toFixed(2)).join(" | ") + " |");
}
rows.forEach(({ program, page }, round) => line(`round ${round + 1}`, program, page));
const middles = (of) => ({ took: middle(rows.map((row) => of(row).took)), used: middle(rows.map((row) => of(row).used)) });
line("medians", middles((row) => row.program), middles((row) => row.page));
const megabytes = (path) => (statSync(path).size / 1e6).toFixed(2);
console.log(`The capture has ${megabytes(capture)} MB, the page ${megabytes(page)} MB; its first paint was after ${middle(rows.map(({ page }) => page.paint)).toFixed(2)} s.`);
