// One program: loaded, warmed up and timed, run after run.

const PROGRAMS = { ours: "./ours.js", onnxruntime: "./onnxruntime.js", transformers: "./transformers.js" };

// No run is sampled for longer than this, in milliseconds, but for the first three samples.
const MOST = 5_000;

self.onmessage = async ({ data: job }) => {
  try {
    const { start } = await import(PROGRAMS[job.program]);
    const began = performance.now();
    const program = await start(job);
    const loaded = performance.now() - began;
    const rows = [];
    for (const run of job.runs) rows.push(await measure(program, run));
    const answer = { name: program.name, loaded, rows, adapter: program.adapter, memory: program.memory() };
    self.postMessage(answer);
  } catch (error) {
    self.postMessage({ error: `${job.program} on ${job.executor}: ${error?.stack ?? error}` });
  }
};

// The milliseconds of every sample, what the last one found, and what was counted of one.
async function measure(program, { what, tokens, batch, samples }) {
  const prepared = await program.prepare(what, tokens, batch);
  if (!prepared) return null;
  // A pipeline or a piece of code that is compiled on its first use is not what is measured.
  const cold = performance.now();
  await program.run();
  if (performance.now() - cold < MOST) await program.run();
  const before = program.counts?.();
  const times = [];
  const began = performance.now();
  while (times.length < samples && (times.length < 3 || performance.now() - began < MOST)) {
    const start = performance.now();
    await program.run();
    times.push(performance.now() - start);
  }
  const after = program.counts?.();
  const counts = after?.map((count, i) => Math.round(((count - before[i]) / times.length) * 10) / 10);
  const logits = what === "forward" ? Array.from(program.logits().slice(-program.vocabulary)) : undefined;
  return { what, tokens, batch, times, counts, logits, operations: program.operations?.(), memory: program.memory() };
}
