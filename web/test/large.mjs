// A report of very many attempts in a browser: its size, and how long it takes to be drawn, searched, filtered, zoomed.
//
//   node large.mjs REPORT.html [PAGE.html CAPTURE]
//
// REPORT is what the program wrote of the capture; with PAGE and CAPTURE the page makes the report, too.
import assert from "node:assert/strict";
import { statSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

const MOST_BYTES = 2_000_000;
const [report, page, capture] = process.argv.slice(2).map((path) => resolve(path));
assert.ok(statSync(report).size < MOST_BYTES, "the report is too large");
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM || "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu"] });

// Milliseconds from an event to the frame that shows what came of it.
function until(tab, act) {
  return tab.evaluate(async (source) => {
    const from = performance.now();
    new Function(source)();
    await new Promise((drawn) => requestAnimationFrame(() => setTimeout(drawn)));
    return performance.now() - from;
  }, act);
}

async function painted(tab) {
  const found = await tab.waitForFunction(() => performance.getEntriesByName("first-contentful-paint")[0]?.startTime);
  return found.jsonValue();
}

async function measure(name, tab, bytes, paint) {
  const rows = () => tab.locator(".explore tbody tr").count();
  const all = await rows();
  assert.ok(all > 0, "there are steps");
  const search = (text) => `const box = document.querySelector('.explore input[type="search"]'); box.value = "${text}"; box.dispatchEvent(new Event("input"));`;
  const searched = await until(tab, search("no such step"));
  assert.equal(await rows(), 0);
  await until(tab, search(""));
  assert.equal(await rows(), all);
  const filter = "document.querySelector('.explore fieldset input').click();";
  const filtered = await until(tab, filter);
  assert.ok(await rows() <= all);
  await until(tab, filter);
  const before = await tab.locator("figure svg").first().getAttribute("viewBox");
  const zoomed = await until(tab, "document.querySelector('[aria-label=\"Zoom in\"]').click();");
  assert.notEqual(await tab.locator("figure svg").first().getAttribute("viewBox"), before);
  const cells = [(bytes / 1e6).toFixed(2), paint.toFixed(0), searched.toFixed(0), filtered.toFixed(0), zoomed.toFixed(0)];
  console.log(`| ${name} | ${cells.join(" | ")} |`);
}

console.log("| report | MB | first paint ms | search ms | filter ms | zoom ms |\n| --- | ---: | ---: | ---: | ---: | ---: |");
const context = await browser.newContext({ bypassCSP: true });
const tab = await context.newPage();
await tab.goto(pathToFileURL(report).href);
const paint = await painted(tab);
await measure("of the program", tab, statSync(report).size, paint);
if (page) {
  const other = await context.newPage();
  other.setDefaultTimeout(600_000);
  await other.goto(pathToFileURL(page).href);
  await other.setInputFiles("#file-fails", capture);
  await other.waitForSelector("#report main h1");
  const bytes = await other.evaluate(() => new Blob([document.querySelector("#report").innerHTML]).size);
  const [download] = await Promise.all([other.waitForEvent("download"), other.click('[data-save="html"]')]);
  assert.ok(statSync(await download.path()).size < MOST_BYTES, "the report that the page saves is too large");
  await measure("in the page", other, bytes, await painted(other));
}
await browser.close();
