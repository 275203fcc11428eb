// This program: as every browser can run it, or with relaxed SIMD.

import { VOCABULARY } from "./prompt.js";

export async function start({ executor, model }) {
  const folder = executor === "relaxed" ? "./relaxed" : "./plain";
  const { default: init, Bench, Product } = await import(`${folder}/relp-bench-browser.js`);
  const { memory } = await init();
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
