// This program: as every browser can run it, with relaxed SIMD, or with threads as well.

import { VOCABULARY } from "./prompt.js";
import { threads } from "./threads.js";

export async function start({ executor, model }) {
  const folder = { relaxed: "./relaxed", threads: "./threaded" }[executor] ?? "./plain";
  const { default: init, share, Bench, Product } = await import(`${folder}/relp-bench-browser.js`);
  const module = await WebAssembly.compileStreaming(fetch(new URL(`${folder}/relp-bench-browser_bg.wasm`, import.meta.url)));
  const { memory } = await init({ module_or_path: module });
  if (executor === "threads") {
    const lent = threads() - 1;
    await Promise.all(Array.from({ length: lent }, () => lend(module, memory)));
    share(lent);
  }
  const bytes = () => memory.buffer.byteLength;
  if (model === null) return product(Product, bytes);
  const bench = await Bench.start(model, executor);
  const response = await fetch(`../models/${model}/model.safetensors`);
  const length = Number(response.headers.get("Content-Length"));
  const reader = response.body.getReader();
  for (let piece = await reader.read(); !piece.done; piece = await reader.read()) bench.push(piece.value, length);
  return {
    name: null,
    vocabulary: VOCABULARY[model],
    adapter: bench.adapter(),
    prepare: (what, tokens, batch) => bench.plan(what, tokens, batch),
    run: () => bench.run(),
    logits: () => bench.logits(),
    operations: () => bench.operations(),
    counts: executor === "webgpu" ? () => Array.from(bench.counts()) : undefined,
    memory: bytes,
  };
}

// One product of matrices, of as many rows as there are tokens.
function product(Product, memory) {
  let current;
  let operations = 0;
  return {
    name: null,
    prepare: async (_what, rows) => {
      current?.free();
      current = new Product(rows);
      return true;
    },
    run: async () => {
      operations = current.run();
    },
    operations: () => operations,
    memory,
  };
}

// A worker that runs the same program in the same memory, as soon as it does.
function lend(module, memory) {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL("./thread.js", import.meta.url), { type: "module" });
    worker.onmessage = resolve;
    worker.onerror = reject;
    worker.postMessage({ module, memory });
  });
}
