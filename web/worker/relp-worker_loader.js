// Starts the engine in a web worker.
importScripts("relp-worker.js");
wasm_bindgen({ module_or_path: "relp-worker_bg.wasm" }).catch((error) => {
  // A rejected promise is not told to the page; an error that is thrown is.
  setTimeout(() => {
    throw error;
  });
});
