// Starts the printer in a web worker.
importScripts("relp-printer.js");
wasm_bindgen({ module_or_path: "relp-printer_bg.wasm" }).catch((error) => {
  // A rejected promise is not told to the page; an error that is thrown is.
  setTimeout(() => {
    throw error;
  });
});
