// The ids of a prompt, which are `pair` of `benches/lib.rs`, and how many there are.

export const VOCABULARY = { primer: 4075, "gpt2-small": 50257 };

export function prompts(model, tokens, batch) {
  const one = Array.from({ length: tokens }, (_, i) => BigInt((i * 7 + 1) % VOCABULARY[model]));
  return BigInt64Array.from(Array.from({ length: batch }, () => one).flat());
}
