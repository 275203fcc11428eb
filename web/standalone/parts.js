// The files of the page, out of this one: a file:// page may neither fetch nor start workers from other files.
// What is asked of `Worker` and `fetch` by the names of files that are in here is answered with these.

"use strict";

const relpParts = {
  async bytes(name) {
    return inflated(document.querySelector(`script[data-part="${name}"]`).textContent);
  },
};

async function inflated(text) {
  const bytes = Uint8Array.from(atob(text.trim()), (c) => c.charCodeAt(0));
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
}

// Runs in a worker, in front of its program: the files and the program come as a message.
function begin(inflated) {
  const files = {};
  const ask = self.fetch;
  self.fetch = (asked, options) => {
    const address = typeof asked === "string" ? asked : asked.url;
    const name = Object.keys(files).find((name) => address === name || address.endsWith(`/${name}`));
    return name ? Promise.resolve(new Response(files[name])) : ask(asked, options);
  };
  // What the page says before the program hears is kept for it.
  const early = [];
  const start = async ({ program, parts }) => {
    for (const [name, text] of Object.entries(parts)) files[name] = await inflated(text);
    await wasm_bindgen({ module_or_path: await inflated(program) });
    for (const data of early) self.onmessage?.(new MessageEvent("message", { data }));
  };
  self.onmessage = ({ data }) => {
    if (!data?.relpParts) return early.push(data);
    // A rejected promise is not told to the page; an error that is thrown is.
    start(data.relpParts).catch((error) => setTimeout(() => { throw error; }));
  };
}

globalThis.Worker = class extends Worker {
  constructor(name, options) {
    const part = (name) => document.querySelector(`script[data-part="${name}"]`).textContent;
    const which = /relp-(worker|printer)/.exec(name)[1];
    const code = `${inflated}\n(${begin})(inflated);\n${part(`${which}.js`)}`;
    const address = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
    super(address, options);
    const models = which === "worker" ? document.querySelectorAll('script[data-part^="models/"]') : [];
    const parts = Object.fromEntries(Array.from(models, (model) => [model.dataset.part, model.textContent]));
    this.postMessage({ relpParts: { program: part(`${which}.wasm`), parts } });
  }
};
