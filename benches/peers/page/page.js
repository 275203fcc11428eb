// Starts one program in a worker of its own and hands its answer on: `measure(job)` is what the driver calls.
// A job is { program, executor, model, runs: [{ what, tokens, batch, samples }] }.

window.measure = (job) =>
  new Promise((resolve) => {
    const worker = new Worker("worker.js", { type: "module" });
    worker.onmessage = ({ data }) => {
      worker.terminate();
      resolve(data);
    };
    worker.onerror = (event) => resolve({ error: event.message ?? "the worker cannot be started" });
    worker.postMessage(job);
  });

// What the browser says of its adapter.
window.adapter = async () => {
  const adapter = await navigator.gpu?.requestAdapter();
  const info = adapter?.info;
  return info ? [info.vendor, info.architecture, info.description].filter(Boolean).join(" ") : null;
};
