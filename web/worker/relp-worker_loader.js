// Starts the engine in a web worker.
importScripts("relp-worker.js");
wasm_bindgen({ module_or_path: "relp-worker_bg.wasm" });
