// Asks mermaid's own parser whether it accepts every diagram of the Markdown files that are named.
// Usage: npm ci && node check.mjs REPORT.md...
import { readFileSync } from "node:fs";
import mermaid from "mermaid";

let diagrams = 0;
let refused = 0;

async function accepts(source) {
  try {
    return (await mermaid.parse(source)).diagramType === "sequence";
  } catch (error) {
    console.error(String(error));
    return false;
  }
}

// A check that cannot fail is none.
if (await accepts("sequenceDiagram\n    this is no message\n")) {
  console.error("the parser accepts anything");
  process.exit(1);
}
for (const file of process.argv.slice(2)) {
  const text = readFileSync(file, "utf8");
  for (const [, source] of text.matchAll(/^```mermaid\n(.*?)^```$/gms)) {
    diagrams += 1;
    if (!(await accepts(source))) {
      refused += 1;
      console.error(`${file}: refused:\n${source}`);
    }
  }
}
console.log(`${diagrams} diagrams, ${refused} refused`);
process.exit(refused > 0 || diagrams === 0 ? 1 : 0);
