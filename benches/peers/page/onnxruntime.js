// ONNX Runtime Web.

import { VOCABULARY, prompts } from "./prompt.js";
import { threads } from "./threads.js";

const FOLDER = new URL("../npm/onnxruntime-web/dist/", import.meta.url).href;

export async function start({ executor, model }) {
  const ort = await import(`${FOLDER}${executor === "webgpu" ? "ort.webgpu.min.mjs" : "ort.wasm.min.mjs"}`);
  ort.env.wasm.numThreads = executor === "threads" ? threads() : 1;
  ort.env.wasm.wasmPaths = FOLDER;
  const heap = watch();
  const options = { executionProviders: [executor === "webgpu" ? "webgpu" : "wasm"], graphOptimizationLevel: "all" };
  const session = await ort.InferenceSession.create(`../models/${model}/last.onnx`, options);
  let feeds;
  let found;
  return {
    name: `ONNX Runtime Web ${ort.env.versions.web ?? ort.env.versions.common}`,
    vocabulary: VOCABULARY[model],
    prepare: async (what, tokens, batch) => {
      if (what !== "forward") return false;
      const ids = prompts(model, tokens, batch);
      const shape = [batch, tokens];
      feeds = { input_ids: new ort.Tensor("int64", ids, shape) };
      const mask = new ort.Tensor("int64", new BigInt64Array(ids.length).fill(1n), shape);
      if (session.inputNames.includes("attention_mask")) feeds.attention_mask = mask;
      return true;
    },
    run: async () => {
      found = await session.run(feeds);
      // It may still be on the GPU.
      await found.logits.getData();
    },
    logits: () => found.logits.data,
    memory: heap,
  };
}

// The bytes of the largest WebAssembly memory that is made or imported from now on.
export function watch() {
  const memories = [];
  const Memory = WebAssembly.Memory;
  WebAssembly.Memory = class extends Memory {
    constructor(...args) {
      super(...args);
      memories.push(this);
    }
  };
  for (const name of ["instantiate", "instantiateStreaming"]) {
    const original = WebAssembly[name];
    WebAssembly[name] = async (...args) => {
      const result = await original.apply(WebAssembly, args);
      const made = (result.instance ?? result).exports ?? {};
      memories.push(...Object.values(made).filter((value) => value instanceof Memory));
      return result;
    };
  }
  return () => Math.max(0, ...memories.map((memory) => memory.buffer.byteLength));
}
