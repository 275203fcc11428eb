// transformers.js, with files of this server alone.

import { watch } from "./onnxruntime.js";
import { VOCABULARY, prompts } from "./prompt.js";
import { threads } from "./threads.js";

export async function start({ executor, model }) {
  const heap = watch();
  const { AutoModelForCausalLM, Tensor, env } = await import("../npm/transformers/dist/transformers.js");
  env.allowRemoteModels = false;
  env.allowLocalModels = true;
  env.localModelPath = new URL("../models/", import.meta.url).href;
  env.useBrowserCache = false;
  env.useWasmCache = false;
  const wasm = env.backends.onnx.wasm;
  wasm.numThreads = executor === "threads" ? threads() : 1;
  // Of the ONNX Runtime that it was built with.
  const file = (kind) => new URL(`../npm/onnxruntime-of-transformers/dist/ort-wasm-simd-threaded.asyncify.${kind}`, import.meta.url).href;
  wasm.wasmPaths = { mjs: file("mjs"), wasm: file("wasm") };
  const network = await AutoModelForCausalLM.from_pretrained(`${model}/all`, { device: executor === "webgpu" ? "webgpu" : "wasm", dtype: "fp32" });
  let inputs;
  let found;
  return {
    name: `transformers.js ${env.version}`,
    vocabulary: VOCABULARY[model],
    prepare: async (what, tokens, batch) => {
      if (what !== "forward") return false;
      const ids = prompts(model, tokens, batch);
      const shape = [batch, tokens];
      const attention_mask = new Tensor("int64", new BigInt64Array(ids.length).fill(1n), shape);
      inputs = { input_ids: new Tensor("int64", ids, shape), attention_mask };
      return true;
    },
    run: async () => {
      found = (await network(inputs)).logits;
      await found.ort_tensor.getData();
    },
    logits: () => found.data,
    memory: heap,
  };
}
