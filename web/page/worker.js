// Runs beside the page: it has the module, and reads files piece by piece, so the page stays awake.
"use strict";

// A file that gives pieces of itself. The module calls `next`.
class Piecewise {
  constructor(file, name, read) {
    this.file = file;
    this.name = name;
    this.at = 0;
    this.read = read;
    this.reader = new FileReaderSync();
  }

  next(most) {
    const end = Math.min(this.at + most, this.file.size);
    if (end === this.at) return new Uint8Array(0);
    let piece;
    try {
      piece = this.reader.readAsArrayBuffer(this.file.slice(this.at, end));
    } catch (error) {
      throw "the browser cannot read the file (" + error.name + "): was it moved or changed?";
    }
    this.at = end;
    this.read(piece.byteLength);
    return new Uint8Array(piece);
  }
}

const ready = { module: null };

async function load(module) {
  await wasm_bindgen({ module_or_path: module });
  return wasm_bindgen;
}

// The captures and the logs of a message. While they are read, the page is told how far that is.
function pieces(message) {
  const total = message.files.reduce((sum, file) => sum + file.blob.size, 0);
  let read = 0;
  const files = message.files.map((file) => new Piecewise(file.blob, file.name, (bytes) => {
    read += bytes;
    self.postMessage({ job: message.job, progress: total ? read / total : 0 });
  }));
  return [files.splice(0, message.captures), files, JSON.stringify(message.asked)];
}

// What is read several times is kept by the module; nothing is said of its progress.
function whole(message) {
  return message.files.map((file) => new Piecewise(file.blob, file.name, () => {}));
}

self.onmessage = async ({ data: message }) => {
  try {
    if (message.module) ready.module = load(message.module);
    await ready.module;
    if (message.kind === "examine") {
      self.postMessage({ job: message.job, outcome: wasm_bindgen.examine(...pieces(message)) });
    } else if (message.kind === "json") {
      self.postMessage({ job: message.job, json: wasm_bindgen.json(...pieces(message)) });
    } else if (message.kind === "bundle") {
      self.postMessage({ job: message.job, bundle: wasm_bindgen.bundle(whole(message)) });
    } else if (message.kind === "recipe") {
      const written = wasm_bindgen.recipe(whole(message), message.target, JSON.stringify(message.asked));
      self.postMessage({ job: message.job, recipe: JSON.parse(written) });
    } else if (message.kind === "warm") {
      wasm_bindgen.warm_up();
      self.postMessage({ job: message.job });
    } else if (message.kind === "explain") {
      self.postMessage({ job: message.job, answer: wasm_bindgen.explain(message.question) });
    } else {
      self.postMessage({ job: message.job, version: wasm_bindgen.version() });
    }
  } catch (error) {
    const says = error instanceof WebAssembly.RuntimeError
      ? "hcidiff stopped while it read this. Please report it, with the capture if you can share it."
      : String(error && error.message || error);
    self.postMessage({ job: message.job, trouble: says, broken: error instanceof WebAssembly.RuntimeError });
  }
};
