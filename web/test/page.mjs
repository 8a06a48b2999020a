// The page as its users meet it: headless Chromium, from the disk and from a server of this machine.
//
//   node page.mjs PAGE.html PROGRAM FIXTURES [PICTURES]
//
// PROGRAM is the hcidiff of the command line: the page's JSON must be the same, octet for octet.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

const [page, program, fixtures, pictures] = process.argv.slice(2).map((path) => resolve(path));
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const fixture = (name) => join(fixtures, name);
const WORKS = fixture("flagship/mac.pklg");
const FAILS = fixture("flagship/pi-kicked.btsnoop");
const LOGGED = ["btsnoop", "bluetoothd.txt"].map((ending) => "witness/b04-failed-establish-3e/b04-failed-establish-3e." + ending);
// A machine with other work to do is slow: what takes longer than this has stopped.
const PATIENCE = 120_000;

const work = mkdtempSync(join(tmpdir(), "hcidiff-page-"));
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});

const server = createServer((request, answer) => {
  answer.writeHead(request.url === "/" ? 200 : 404, { "content-type": "text/html" });
  answer.end(request.url === "/" ? readFileSync(page) : "");
}).listen(0, "127.0.0.1");
await new Promise((ready) => server.once("listening", ready));
const served = "http://127.0.0.1:" + server.address().port + "/";

// A tab that notes all that must not happen: requests, errors, violations of the policy.
async function tab(address, options = {}) {
  const context = await browser.newContext({ acceptDownloads: true, ...options });
  const opened = await context.newPage();
  opened.setDefaultTimeout(PATIENCE);
  const wrong = [];
  opened.on("console", (message) => { if (message.type() === "error") wrong.push("console: " + message.text()); });
  opened.on("pageerror", (error) => wrong.push("error: " + error.message));
  opened.on("request", (request) => {
    const asked = request.url();
    if (asked.split("#")[0] !== address.split("#")[0] && !/^(blob|data):/.test(asked)) wrong.push("request: " + asked);
  });
  await opened.goto(address);
  return { opened, wrong, context };
}

const said = (opened) => opened.locator("#trouble").textContent();

async function reported(opened) {
  await opened.waitForSelector("#report main h1");
  await opened.waitForSelector("#working", { state: "hidden" });
}

async function choose(opened, works, fails) {
  await opened.setInputFiles("#file-fails", fails);
  await reported(opened);
  const before = await opened.locator("#report main h1").textContent();
  await opened.setInputFiles("#file-works", works);
  await opened.waitForFunction((old) => document.querySelector("#report main h1").textContent !== old
    || document.querySelectorAll("#report .who").length === 1 && document.querySelector("#name-works").textContent !== "nothing yet", before);
  await reported(opened);
}

// Files dropped as a hand would drop them.
async function drop(opened, files) {
  const data = files.map((path) => ({ name: path.split("/").pop(), bytes: readFileSync(path).toString("base64") }));
  const transfer = await opened.evaluateHandle((given) => {
    const transfer = new DataTransfer();
    given.forEach(({ name, bytes }) => transfer.items.add(new File([Uint8Array.from(atob(bytes), (c) => c.charCodeAt(0))], name)));
    return transfer;
  }, data);
  await opened.dispatchEvent("#place-fails", "drop", { dataTransfer: transfer });
}

function byTheProgram(format) {
  try {
    return execFileSync(program, [WORKS, FAILS, "--format", format], { stdio: ["ignore", "pipe", "ignore"] });
  } catch (error) {
    // Status 1: something was found.
    assert.equal(error.status, 1);
    return error.stdout;
  }
}

async function saved(opened, button) {
  const [download] = await Promise.all([opened.waitForEvent("download"), opened.click(button)]);
  return readFileSync(await download.path());
}

const tests = {
  async "the flagship pair, dropped as files, gives the program's JSON"(address) {
    const { opened, wrong } = await tab(address);
    await drop(opened, [WORKS, FAILS]);
    await reported(opened);
    assert.ok((await saved(opened, "#json")).equals(byTheProgram("json")), "JSON differs from the program's");
    assert.deepEqual(wrong, []);
  },

  async "one capture alone is looked at, then the other side joins it"(address) {
    const { opened, wrong } = await tab(address);
    await choose(opened, WORKS, FAILS);
    assert.match(await opened.locator("#report main h1").textContent(), /hung up/);
    assert.deepEqual(wrong, []);
  },

  async "pasted btmon text is a capture"(address) {
    const { opened, wrong } = await tab(address);
    await opened.click('[data-paste="fails"]');
    await opened.fill("#pasted", readFileSync(fixture("text/lab/A/02-bad-kick.btmon.txt"), "utf8"));
    await opened.click("#pasting button[type=submit]");
    await reported(opened);
    assert.match(await opened.locator("#report").textContent(), /btmon-text/);
    assert.deepEqual(wrong, []);
  },

  async "what is no capture is answered with a sentence, and no markup runs"(address) {
    const { opened, wrong } = await tab(address);
    const cases = [
      ["note.txt", "Dear diary, nothing was recorded today.\n", /.+/],
      ["empty.btsnoop", "", /empty/],
      ["<img src=x onerror=alert(1)>.log", "not a capture", /.+/],
      ["broken.btsnoop", "btsnoop\0\0\0\0\x01\0\0\x03\xeahalf", /.+/],
    ];
    for (const [name, text, expected] of cases) {
      const path = join(work, name);
      writeFileSync(path, text, "latin1");
      await opened.setInputFiles("#file-fails", path);
      await opened.waitForFunction(() => document.querySelector("#working").hidden
        && (document.querySelector("#trouble").textContent || document.querySelector("#report main")));
      const sentence = await said(opened) + await opened.locator("#report").textContent();
      assert.match(sentence, expected, name);
      assert.equal(await opened.locator("#ask img, #report img").count(), 0);
    }
    const ten = Array.from({ length: 10 }, () => FAILS);
    await drop(opened, ten);
    assert.match(await said(opened), /10 files/);
    assert.deepEqual(wrong, []);
  },

  async "a long reading shows its progress and can be cancelled"(address) {
    const { opened, wrong } = await tab(address);
    // Large enough to be caught at it: the flagship's records many times over.
    const whole = readFileSync(FAILS);
    const path = join(work, "long.btsnoop");
    writeFileSync(path, Buffer.concat([whole, ...Array.from({ length: 900 }, () => whole.subarray(16))]));
    await opened.setInputFiles("#file-fails", path);
    await opened.waitForSelector("#working", { state: "visible" });
    await opened.click("#cancel");
    assert.match(await said(opened), /Cancelled/);
    assert.ok(await opened.locator("#working").isHidden());
    // The page is as good as new.
    await opened.setInputFiles("#file-fails", FAILS);
    await reported(opened);
    assert.deepEqual(wrong, []);
  },

  async "sides are swapped, attempts are chosen"(address) {
    const { opened, wrong } = await tab(address);
    await drop(opened, [FAILS, WORKS]);
    await reported(opened);
    assert.match(await opened.locator("#report").textContent(), /Swapped sides/);
    await opened.click("#swap");
    await opened.waitForFunction(() => document.querySelector("#report main") && !/Swapped sides/.test(document.querySelector("#report").textContent));
    await opened.selectOption("#attempt-fails", "1");
    await opened.waitForFunction(() => /connection #1/.test(document.querySelector("#report svg").textContent));
    assert.deepEqual(wrong, []);
  },

  async "a bundle and a cure are saved"(address) {
    const { opened, wrong } = await tab(address);
    await drop(opened, [WORKS, FAILS]);
    await reported(opened);
    const [zip] = await Promise.all([opened.waitForEvent("download"), opened.click("#bundle")]);
    assert.equal(readFileSync(await zip.path()).subarray(0, 2).toString(), "PK");
    await opened.selectOption("#target", "att-socket");
    const [cure] = await Promise.all([opened.waitForEvent("download"), opened.click("#recipe")]);
    const words = ["recipe", WORKS, FAILS, "--for", "att-socket"];
    const written = execFileSync(program, words, { stdio: ["ignore", "pipe", "ignore"] });
    assert.ok(readFileSync(await cure.path()).equals(written), "the cure differs from the program's");
    assert.match(await opened.locator("#done").textContent(), /values/);
    assert.deepEqual(wrong, []);
  },

  async "a log of the failing host tells more"(address) {
    const { opened, wrong } = await tab(address);
    await opened.setInputFiles("#file-fails", fixture(LOGGED[0]));
    await reported(opened);
    await opened.setInputFiles("#file-log", fixture(LOGGED[1]));
    await opened.waitForFunction(() => /Log/.test([...document.querySelectorAll("#report h2, #report summary")].map((e) => e.textContent).join()));
    assert.deepEqual(wrong, []);
  },

  async "words are explained, and an answer has an address"(address) {
    const { opened, wrong } = await tab(address);
    await opened.fill("#question", "error 62");
    await opened.press("#question", "Enter");
    await opened.waitForFunction(() => /0x3e/i.test(document.querySelector("#answer").textContent));
    assert.match(opened.url(), /#explain=error%2062$/);
    assert.deepEqual(wrong, []);
    const other = await tab(address + "#explain=0x13");
    await other.opened.waitForFunction(() => /0x13/.test(document.querySelector("#answer").textContent));
    assert.deepEqual(other.wrong, []);
  },

  async "the report answers: search, filter, click, zoom, jump"(address) {
    const { opened, wrong } = await tab(address);
    await drop(opened, [WORKS, FAILS]);
    await reported(opened);
    await asksTheReport(opened);
    assert.deepEqual(wrong, []);
  },

  async "nothing serious hinders a screen reader"(address) {
    const { opened } = await tab(address);
    await drop(opened, [WORKS, FAILS]);
    await reported(opened);
    await lint(opened);
  },
};

// The same for a report inside of the page, and for one that the program wrote.
async function asksTheReport(opened) {
  const rows = () => opened.locator(".explore tbody tr").count();
  const all = await rows();
  await opened.fill('.explore input[type="search"]', "0x004c");
  const found = await rows();
  assert.ok(found > 0 && found < all, `${found} of ${all}`);
  await opened.fill('.explore input[type="search"]', "");
  await opened.getByLabel("normal differences").check();
  assert.ok(await rows() > all);
  await opened.getByLabel("MTU", { exact: true }).check();
  assert.equal(await rows(), 1);
  await opened.getByLabel("MTU", { exact: true }).uncheck();
  await opened.locator(".explore button.step").first().click();
  assert.match(await opened.locator(".step-details").textContent(), /frame\.number (== \d+|in \{\d+\.\.\d+\})/);
  assert.ok(await opened.locator(".mark.lit").count() > 0);
  const box = () => opened.locator("figure svg").first().getAttribute("viewBox");
  const before = await box();
  await opened.getByRole("button", { name: "Zoom in" }).click();
  assert.notEqual(await box(), before);
  await opened.getByRole("button", { name: "Whole picture" }).click();
  assert.equal((await box()).split(" ").map(Number).join(" "), before.split(" ").map(Number).join(" "));
  // From a proof to its step.
  const proof = opened.locator(".finding li button.step").first();
  const frame = (await proof.getAttribute("aria-label")).replace(/\D/g, "");
  await proof.click();
  assert.match(await opened.locator(".explore tr.selected").first().textContent(), new RegExp("."));
  assert.match(await opened.locator(".step-details").textContent(), new RegExp(frame));
  // From a mark to its step.
  await opened.locator("figure svg:visible .mark[data-at]").nth(3).click();
  assert.equal(await opened.locator(".explore tr.selected").count(), 1);
}

async function lint(opened) {
  // The policy lets no script of a test in, so it comes through the browser's own door.
  await opened.evaluate(axe);
  const { violations } = await opened.evaluate(() => axe.run());
  const grave = violations.filter(({ impact }) => ["serious", "critical"].includes(impact));
  assert.deepEqual(grave.map(({ id, nodes }) => id + ": " + nodes.map(({ html }) => html).slice(0, 3).join(" ")), []);
}

async function theProgramsReport() {
  const path = join(work, "report.html");
  writeFileSync(path, byTheProgram("html"));
  const { opened, wrong } = await tab(pathToFileURL(path).href);
  await asksTheReport(opened);
  await opened.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  await opened.getByRole("button", { name: "Copy as Markdown" }).click();
  await opened.getByText("Copied.").waitFor();
  assert.equal(await opened.evaluate(() => navigator.clipboard.readText()), byTheProgram("markdown").toString());
  await lint(opened);
  assert.deepEqual(wrong, []);
}

async function look(folder) {
  mkdirSync(folder, { recursive: true });
  for (const width of [1280, 390]) {
    for (const colorScheme of ["light", "dark"]) {
      const { opened } = await tab(pathToFileURL(page).href, { viewport: { width, height: 900 }, colorScheme });
      await opened.screenshot({ path: join(folder, `empty-${width}-${colorScheme}.png`), fullPage: true });
      await drop(opened, [WORKS, FAILS]);
      await reported(opened);
      await opened.locator(".explore button.step").first().click();
      await opened.screenshot({ path: join(folder, `report-${width}-${colorScheme}.png`), fullPage: true });
    }
  }
}

let failed = 0;
async function run(name, test) {
  try {
    await test();
    console.log("ok    " + name);
  } catch (error) {
    failed += 1;
    console.log("FAIL  " + name + "\n" + error.stack);
  }
}

for (const [from, address] of [["disk", pathToFileURL(page).href], ["server", served]]) {
  for (const [name, test] of Object.entries(tests)) await run(from + ": " + name, () => test(address));
}
await run("the program's own report answers, too", theProgramsReport);
if (pictures) await look(pictures);
await browser.close();
server.close();
rmSync(work, { recursive: true });
console.log(failed ? failed + " failed" : "all passed");
process.exit(failed ? 1 : 0);
