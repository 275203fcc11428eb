// The ids of prompts, which are those of `pair` of `benches/lib.rs`, and how many there are.

export const VOCABULARY = { primer: 4075, "gpt2-small": 50257 };

export function prompts(model, tokens, batch) {
  const token = (n, i) => BigInt((i * 7 + 1 + n) % VOCABULARY[model]);
  const one = (_, n) => Array.from({ length: tokens }, (_, i) => token(n, i));
  return BigInt64Array.from(Array.from({ length: batch }, one).flat());
}
