//! Exact activation patching: every component replaced in turn, in one walk over the layers.
//!
//! A patch at layer l and position p leaves the layers before l and the positions before p as they
//! are in the base run. So the walk carries, beside the base and the source run, only the rows that
//! can differ: patches join it where they take effect, and every weight is read once for all of them.
//! What cannot matter is not computed: its score is exactly 0.

use std::collections::BTreeMap;

use relp_tape::{Buf, Feed, Outputs, Tape};

use crate::readout::Readout;
use crate::recipe::MOST_BYTES;
use crate::replace::Given;
use crate::{Config, Direction, Pair, Patch, Recipe, Replace, Run, Site, gpt2};

/// A row that the walk carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Row {
    /// Position t of the base run.
    Base(usize),
    /// Position t of the source run.
    Source(usize),
    /// Position t of the base run with the n-th patch.
    Patched(usize, usize),
    /// Position t with the queries and keys of the source run and the values of the base run.
    Mixed(usize),
    /// The mean over positions and runs.
    Mean,
    /// Zeros, which lie nowhere.
    Zero,
}

/// The recorded walk of one pair.
#[derive(Clone, Debug)]
pub struct Sweep {
    config: Config,
    positions: usize,
    sites: Vec<Site>,
    patches: Vec<Patch>,
    tape: Tape,
    /// Ids that the shape of the walk gives.
    given: Given,
    /// The tokens of the first rows, and which run and position each is of.
    tokens: (Buf, Vec<Row>),
    /// \[2\]: the metric of base and source.
    ends: Readout,
    /// The metric of the base run and of every patch, in pieces.
    scored: Vec<(Readout, Vec<usize>)>,
    /// \[2,V\]: base and source.
    logits: Buf,
}

impl Sweep {
    /// Records the walk. Maps of the recipe's sites come out of it, 0 where there is no patch.
    ///
    /// # Panics
    /// If a patch lies outside the model or the pair, or cannot have an effect.
    pub fn record(config: &Config, recipe: &Recipe, patches: Vec<Patch>) -> Self {
        let (tape, given) = (Tape::new(), Given::default());
        let mut walk = Walk { tape, config, recipe, patches: &patches, given };
        let (tokens, first_rows, mut at) = walk.embed();
        for l in 0..config.n_layer {
            at = walk.layer(l, &at);
        }
        let (ends, logits, scored) = walk.read_out(&at);
        let Walk { mut tape, given, .. } = walk;
        tape.output(logits);
        Self {
            config: config.clone(),
            positions: recipe.positions,
            sites: recipe.sites.clone(),
            patches,
            tape,
            given,
            tokens: (tokens, first_rows),
            ends,
            scored,
            logits,
        }
    }

    /// The computation.
    pub fn tape(&self) -> &Tape {
        &self.tape
    }

    /// The inputs of a run.
    ///
    /// # Panics
    /// If the pair's length is not what was recorded.
    pub fn feed(&self, pair: &Pair, direction: Direction) -> Feed {
        assert_eq!(pair.positions(), self.positions, "recorded for another length");
        let (base, source) = direction.prompts();
        let (base, source) = (pair.tokens(base), pair.tokens(source));
        let mut feed = Feed::new();
        self.given.feed(&mut feed);
        let token = |row: &Row| match *row {
            Row::Base(t) => base[t].id,
            Row::Source(t) => source[t].id,
            Row::Patched(patch, _) => source[self.patches[patch].position].id,
            Row::Mixed(_) | Row::Mean | Row::Zero => unreachable!("not a row of embeddings"),
        };
        feed.ids(self.tokens.0, self.tokens.1.iter().map(token).collect());
        let (clean, _) = direction.clean_and_corrupted(0, 1);
        for readout in self.scored.iter().map(|(readout, _)| readout).chain([&self.ends]) {
            readout.feed(&self.tape, &mut feed, |_| pair, |_| clean);
        }
        feed
    }

    /// What a run found.
    pub fn read(&self, outputs: &Outputs, direction: Direction) -> Run {
        let metric = self.ends.read(outputs);
        let (metric_clean, metric_corrupted) = direction.clean_and_corrupted(metric[0], metric[1]);
        let (base_logits, source_logits) = outputs.get(self.logits).split_at(self.config.n_vocab);
        let (clean, corrupted) = direction.clean_and_corrupted(base_logits, source_logits);
        let empty = |site: &Site| {
            let components = site.components(&self.config);
            (*site, vec![0.0; site.layers(&self.config) * self.positions * components])
        };
        let mut scores: BTreeMap<Site, Vec<f32>> = self.sites.iter().map(empty).collect();
        for (readout, patches) in &self.scored {
            let metric = readout.read(outputs);
            for (of_patch, &patch) in metric[1..].iter().zip(patches) {
                let patch = &self.patches[patch];
                if let Some(map) = scores.get_mut(&patch.site) {
                    let place = patch.place(&self.config, self.positions);
                    map[place] = (of_patch - metric[0]) as f32;
                }
            }
        }
        Run {
            metric_clean,
            metric_corrupted,
            logits_clean: clean.to_vec(),
            logits_corrupted: corrupted.to_vec(),
            scores,
            convergence_error: None,
        }
    }
}

/// Rows of a buffer, and which they are.
#[derive(Clone)]
struct At {
    buf: Buf,
    rows: Vec<Row>,
}

struct Walk<'a> {
    tape: Tape,
    config: &'a Config,
    recipe: &'a Recipe,
    patches: &'a [Patch],
    given: Given,
}

/// Where each row lies.
struct Index {
    places: BTreeMap<Row, u32>,
    /// The number of rows, which stands for a row of zeros.
    none: u32,
}

impl Index {
    fn of(rows: &[Row]) -> Self {
        let places = rows.iter().zip(0..).map(|(&row, i)| (row, i)).collect();
        Self { places, none: rows.len() as u32 }
    }

    /// The row itself, or where it does not differ from it, the base run's.
    fn get(&self, row: Row) -> u32 {
        let place = |row: Row| self.places.get(&row).copied();
        let found = match row {
            Row::Zero => Some(self.none),
            Row::Patched(_, t) => place(row).or_else(|| place(Row::Base(t))),
            _ => place(row),
        };
        let Some(found) = found else { unreachable!("{row:?} is not carried here") };
        found
    }
}

/// What a row is made of: a row of the residual stream, and what is added to it.
type Parts = [Row; 2];

impl Walk<'_> {
    fn is_last(&self, l: usize) -> bool {
        l + 1 == self.config.n_layer
    }

    /// The patches of some sites of a layer.
    fn patches_at(&self, layer: usize, sites: &[Site]) -> Vec<(usize, Patch)> {
        let of = |(_, patch): &(usize, &Patch)| patch.layer == layer && sites.contains(&patch.site);
        self.patches.iter().enumerate().filter(of).map(|(n, patch)| (n, *patch)).collect()
    }

    /// The row that is put in at a position.
    fn put(&self, t: usize) -> Row {
        match self.recipe.replace {
            Replace::Source => Row::Source(t),
            Replace::Zero => Row::Zero,
            Replace::Mean => Row::Mean,
        }
    }

    /// An id buffer with content that the shape of the walk gives.
    fn ids(&mut self, name: &str, shape: &[usize], below: usize, ids: Vec<u32>) -> Buf {
        self.given.ids(&mut self.tape, name, shape, below, ids)
    }

    /// Appends the mean of the rows of both runs, if something may be replaced by it.
    fn with_mean(&mut self, at: At, wanted: bool) -> At {
        if !wanted || self.recipe.replace != Replace::Mean {
            return at;
        }
        let index = Index::of(&at.rows);
        let averaged = Replace::averaged(self.recipe.positions);
        let both = averaged.clone().map(Row::Base).chain(averaged.map(Row::Source));
        let ids: Vec<u32> = both.map(|row| index.get(row)).collect();
        let ids = self.ids("averaged rows", &[1, ids.len()], at.rows.len(), ids);
        let name = format!("{} and mean", self.tape.name(at.buf));
        let buf = self.tape.append_means(&name, at.buf, ids);
        let rows = at.rows.into_iter().chain([Row::Mean]).collect();
        At { buf, rows }
    }

    /// The embeddings of both runs, and of what is put in before the first layer; and the buffer of
    /// the token ids, with which row each is of.
    fn embed(&mut self) -> (Buf, Vec<Row>, At) {
        let positions = self.recipe.positions;
        let mut rows: Vec<Row> = (0..positions).map(Row::Base).collect();
        rows.extend((0..positions).map(Row::Source));
        let patched = self.patches_at(0, &[Site::ResidPre]);
        let of_tokens = self.recipe.replace == Replace::Source;
        let new = |&(n, patch): &(usize, Patch)| Row::Patched(n, patch.position);
        if of_tokens {
            rows.extend(patched.iter().map(new));
        }
        let n_vocab = self.config.n_vocab;
        let tokens = self.tape.ids("tokens", &[rows.len()], n_vocab as u32);
        let places = rows.iter().map(|row| match *row {
            Row::Base(t) | Row::Source(t) | Row::Patched(_, t) => t as u32,
            Row::Mixed(_) | Row::Mean | Row::Zero => unreachable!("not a row of embeddings"),
        });
        let places = places.collect();
        let places = self.ids("positions", &[rows.len()], self.config.n_ctx, places);
        let wte = gpt2::token_embedding(&mut self.tape, self.config);
        let wpe = gpt2::position_embedding(&mut self.tape, self.config);
        let buf = self.tape.add_rows("blocks.0.resid_pre", wte, tokens, wpe, places);
        let mut at = At { buf, rows: rows.clone() };
        if !of_tokens && !patched.is_empty() {
            let from = self.with_mean(at.clone(), true);
            let mut all: Vec<(Row, Parts)> =
                rows.iter().map(|&row| (row, [row, Row::Zero])).collect();
            all.extend(patched.iter().map(|one| (new(one), [self.put(0), Row::Zero])));
            at = self.add("blocks.0.resid_pre patched", &from, &from, all);
        }
        (tokens, rows, at)
    }

    /// One layer.
    fn layer(&mut self, l: usize, before: &At) -> At {
        let buf = gpt2::qkv(&mut self.tape, self.config, l, before.buf);
        let qkv = self.splice_qkv(l, At { buf, rows: before.rows.clone() });
        let z = self.attention(l, before, &qkv);
        let z = self.splice_heads(l, z);
        let buf = gpt2::attn_out(&mut self.tape, self.config, l, z.buf);
        let added = At { buf, rows: z.rows };

        let new = self.replaced(l, Site::AttnOut, Site::ResidMid);
        let wanted = !new.is_empty();
        let parts = on(&added.rows).chain(new).collect();
        let added = self.with_mean(added, wanted);
        let stream = self.with_mean(before.clone(), wanted);
        let mid = self.add(&gpt2::hook_name(l, "resid_mid"), &stream, &added, parts);

        let post = gpt2::post(&mut self.tape, self.config, l, mid.buf);
        let post = self.splice_neurons(l, At { buf: post, rows: mid.rows.clone() });
        let buf = gpt2::mlp_out(&mut self.tape, self.config, l, post.buf);
        let added = At { buf, rows: post.rows };

        let mut new = self.replaced(l, Site::MlpOut, Site::ResidPost);
        let next = self.patches_at(l + 1, &[Site::ResidPre]);
        new.extend(next.into_iter().map(|(n, patch)| {
            let put = self.put(patch.position);
            (Row::Patched(n, patch.position), [put, put])
        }));
        let wanted = !new.is_empty();
        // After the last layer only the last position is read.
        let last = self.recipe.positions - 1;
        let read = |row: &Row| {
            !self.is_last(l)
                || matches!(*row, Row::Base(t) | Row::Source(t) | Row::Patched(_, t) if t == last)
        };
        let parts = on(&added.rows).filter(|(row, _)| read(row)).chain(new).collect();
        let added = self.with_mean(added, wanted);
        let stream = self.with_mean(mid, wanted);
        self.add(&gpt2::hook_name(l, "resid_post"), &stream, &added, parts)
    }

    /// The rows that a patch of `added` (what a sublayer adds) or of `sum` (the stream after it)
    /// begins with.
    fn replaced(&self, l: usize, added: Site, sum: Site) -> Vec<(Row, Parts)> {
        let row = |(n, patch): (usize, Patch)| {
            let t = patch.position;
            let put = self.put(t);
            let stream = if patch.site == added { Row::Base(t) } else { put };
            (Row::Patched(n, t), [stream, put])
        };
        self.patches_at(l, &[added, sum]).into_iter().map(row).collect()
    }

    /// Appends rows in which a head's query, key or value is what is put in, and those that mix the
    /// source run's queries and keys with the base run's values.
    fn splice_qkv(&mut self, l: usize, qkv: At) -> At {
        let heads = self.config.n_head;
        let width = self.config.d_model / heads;
        let patched = self.patches_at(l, &[Site::Q, Site::K, Site::V]);
        let qkv = self.with_mean(qkv, !patched.is_empty());
        let new = patched.into_iter().map(|(n, patch)| {
            let part = match patch.site {
                Site::Q => 0,
                Site::K => 1,
                _ => 2,
            };
            let t = patch.position;
            (Row::Patched(n, t), [Row::Base(t), self.put(t)], part * heads + patch.component)
        });
        let new = new.collect();
        let qkv = self.splice(&gpt2::hook_name(l, "attn.qkv spliced"), qkv, new, width);
        let patterns = self.patches_at(l, &[Site::Pattern]);
        if patterns.is_empty() || self.recipe.replace != Replace::Source {
            return qkv;
        }
        let mixed = (0..self.recipe.positions)
            .map(|t| (Row::Mixed(t), [Row::Source(t), Row::Base(t)], 2))
            .collect();
        let name = gpt2::hook_name(l, "attn.qkv mixed");
        self.splice(&name, qkv, mixed, self.config.d_model)
    }

    /// The rows that attention gives: all from the first patched position on, or in the last layer
    /// the last position alone.
    fn attention(&mut self, l: usize, before: &At, qkv: &At) -> At {
        let positions = self.recipe.positions;
        let last = if self.is_last(l) { positions - 1 } else { 0 };
        // A mean is over all positions.
        let from = if self.recipe.replace == Replace::Mean { 0 } else { last };
        let mut rows: Vec<Row> = (from..positions).map(Row::Base).collect();
        rows.extend((from..positions).map(Row::Source));
        let mut live: BTreeMap<usize, std::ops::Range<usize>> = BTreeMap::new();
        for row in &before.rows {
            if let Row::Patched(n, _) = row {
                live.insert(*n, self.patches[*n].position.max(last)..positions);
            }
        }
        for (n, patch) in self.patches_at(l, &[Site::Q, Site::K, Site::V]) {
            let t = patch.position;
            // A query is read by its own position alone.
            let read = if patch.site == Site::Q { t..t + 1 } else { t.max(last)..positions };
            live.insert(n, read);
        }
        for (n, read) in live {
            rows.extend(read.map(|t| Row::Patched(n, t)));
        }
        if self.recipe.replace == Replace::Source {
            let patterns = self.patches_at(l, &[Site::Pattern]);
            let mut mixed: Vec<usize> = patterns.iter().map(|(_, p)| p.position).collect();
            mixed.sort_unstable();
            mixed.dedup();
            rows.extend(mixed.into_iter().map(Row::Mixed));
        }
        let index = Index::of(&qkv.rows);
        let queries: Vec<u32> = rows.iter().map(|&row| index.get(row)).collect();
        let mut keys = Vec::with_capacity(rows.len() * positions);
        for &row in &rows {
            let (t, at): (usize, &dyn Fn(usize) -> Row) = match row {
                Row::Base(t) => (t, &Row::Base),
                Row::Source(t) => (t, &Row::Source),
                Row::Mixed(t) => (t, &Row::Mixed),
                Row::Patched(n, t) => (t, &move |s| Row::Patched(n, s)),
                Row::Mean | Row::Zero => unreachable!("attention is of positions"),
            };
            let key = |s| if s <= t { index.get(at(s)) } else { index.none };
            keys.extend((0..positions).map(key));
        }
        let none = index.none as usize;
        let queries = self.ids("queries", &[rows.len()], none, queries);
        let keys = self.ids("keys", &[rows.len(), positions], none + 1, keys);
        let name = gpt2::hook_name(l, "attn.z");
        let buf = self.tape.attention_rows(&name, qkv.buf, queries, keys, self.config.n_head);
        At { buf, rows }
    }

    /// Appends the rows in which one head's output is what is put in, or comes of another pattern.
    fn splice_heads(&mut self, l: usize, z: At) -> At {
        let patched = self.patches_at(l, &[Site::Z, Site::Pattern]);
        let z = self.with_mean(z, patched.iter().any(|(_, patch)| patch.site == Site::Z));
        let new = patched.into_iter().map(|(n, patch)| {
            let t = patch.position;
            let put = match (patch.site, self.recipe.replace) {
                (Site::Pattern, Replace::Source) => Row::Mixed(t),
                // A row of the pattern that is 0 leaves nothing of the head.
                (Site::Pattern, _) => Row::Zero,
                _ => self.put(t),
            };
            (Row::Patched(n, t), [Row::Base(t), put], patch.component)
        });
        let new = new.collect();
        let width = self.config.d_model / self.config.n_head;
        let z = self.splice(&gpt2::hook_name(l, "attn.z spliced"), z, new, width);
        // Mixed rows and means are not part of the stream.
        self.keep(z, |row| !matches!(row, Row::Mixed(_) | Row::Mean))
    }

    /// Appends the rows in which one neuron is what is put in.
    fn splice_neurons(&mut self, l: usize, post: At) -> At {
        let patched = self.patches_at(l, &[Site::Post]);
        let post = self.with_mean(post, !patched.is_empty());
        let new = patched.into_iter().map(|(n, patch)| {
            let t = patch.position;
            (Row::Patched(n, t), [Row::Base(t), self.put(t)], patch.component)
        });
        let new = new.collect();
        let post = self.splice(&gpt2::hook_name(l, "mlp.post spliced"), post, new, 1);
        self.keep(post, |row| row != Row::Mean)
    }

    /// Appends rows: each a row with one block of columns of another.
    fn splice(&mut self, name: &str, at: At, new: Vec<(Row, Parts, usize)>, width: usize) -> At {
        if new.is_empty() {
            return at;
        }
        let index = Index::of(&at.rows);
        let mut rows = at.rows;
        let mut picked: Vec<u32> = (0..index.none).flat_map(|row| [row, row]).collect();
        let mut blocks = vec![0; rows.len()];
        for (row, parts, block) in new {
            picked.extend(parts.map(|part| index.get(part)));
            blocks.push(block as u32);
            rows.push(row);
        }
        let below = self.tape.info(at.buf).cols() / width;
        let picked = self.ids("spliced rows", &[rows.len(), 2], index.none as usize + 1, picked);
        let blocks = self.ids("spliced blocks", &[rows.len()], below, blocks);
        let buf = self.tape.splice(name, at.buf, picked, blocks, width);
        At { buf, rows }
    }

    /// Leaves out rows, if there are any to leave out.
    fn keep(&mut self, at: At, keep: impl Fn(Row) -> bool) -> At {
        if at.rows.iter().all(|&row| keep(row)) {
            return at;
        }
        let name = format!("{} kept", self.tape.name(at.buf));
        let kept = at.rows.iter().filter(|&&row| keep(row));
        let kept = kept.map(|&row| (row, [row, Row::Zero])).collect();
        self.add(&name, &at, &at, kept)
    }

    /// Rows that are a row of `stream` plus one of `added`. Where patched rows are missing, they are
    /// the base run's.
    fn add(&mut self, name: &str, stream: &At, added: &At, all: Vec<(Row, Parts)>) -> At {
        let (in_stream, in_added) = (Index::of(&stream.rows), Index::of(&added.rows));
        let ids = |index: &Index, part: usize| -> Vec<u32> {
            all.iter().map(|(_, parts)| index.get(parts[part])).collect()
        };
        let (a, b) = (ids(&in_stream, 0), ids(&in_added, 1));
        let a = self.ids("rows before", &[all.len()], in_stream.none as usize + 1, a);
        let b = self.ids("rows added", &[all.len()], in_added.none as usize + 1, b);
        let buf = self.tape.add_rows(name, stream.buf, a, added.buf, b);
        At { buf, rows: all.into_iter().map(|(row, _)| row).collect() }
    }

    /// The metric and the logits of base and source, and the metric of every patch.
    fn read_out(&mut self, after: &At) -> (Readout, Buf, Vec<(Readout, Vec<usize>)>) {
        let (config, asked) = (self.config, self.recipe.asked);
        let t = self.recipe.positions - 1;
        let ends = [Row::Base(t), Row::Source(t)].map(|row| (row, [row, Row::Zero])).to_vec();
        let ends = self.add("ends", after, after, ends);
        let normed = gpt2::ln_final(&mut self.tape, config, "ends.ln_final", ends.buf);
        let logits = gpt2::logits(&mut self.tape, config, normed);
        let rows = (normed, Some(logits));
        let of_ends = Readout::record(&mut self.tape, config, asked, rows, logits);
        let patched: Vec<Row> =
            after.rows.iter().copied().filter(|row| matches!(row, Row::Patched(..))).collect();
        // Where a metric needs all logits of a patch, no more at once than fit.
        let most = match asked.metric.measure() {
            None => patched.len(),
            Some(_) => MOST_BYTES / (4 * config.n_vocab),
        };
        let mut scored = Vec::new();
        for rows in patched.chunks(most.max(1)) {
            // The base run goes through the same products, so that no change is no difference.
            let all = [&[Row::Base(t)], rows].concat();
            let all = all.into_iter().map(|row| (row, [row, Row::Zero])).collect();
            let at = self.add("last.resid_post", after, after, all);
            let normed = gpt2::ln_final(&mut self.tape, config, "last.ln_final", at.buf);
            let rows_of = (normed, None);
            let readout = Readout::record(&mut self.tape, config, asked, rows_of, logits);
            let patch = |row: &Row| match *row {
                Row::Patched(patch, _) => patch,
                _ => unreachable!("only patched rows are scored"),
            };
            scored.push((readout, rows.iter().map(patch).collect()));
        }
        (of_ends, logits, scored)
    }
}

/// Rows that go on as they are: of the stream and of what is added, the same.
fn on(rows: &[Row]) -> impl Iterator<Item = (Row, Parts)> {
    rows.iter().map(|&row| (row, [row, row]))
}
