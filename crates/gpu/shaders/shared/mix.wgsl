// Puts Σ_s weights[s] · v_s, of what a query `attend`s to, into its head of a row of z, and of rows that are the same. An
// invocation takes four columns of every 4th key; the sums of these are then added in their order, as `attention_mix` does.

const SLICES = 4u;
const QUADS = GROUP / SLICES;

var<workgroup> sums: array<vec4<f32>, GROUP>;

fn mix(local: u32, query: Query, softmax: vec2<f32>, row: u32) {
    let slice = local / QUADS;
    let is_whole = query.keys <= KEPT;
    // What others have weighed.
    workgroupBarrier();
    for (var first_e = 0u; first_e < params.E; first_e += 4u * QUADS) {
        let e = first_e + local % QUADS * 4u;
        var sum = vec4<f32>();
        for (var first = 0u; first < query.keys; first += KEPT) {
            if (!is_whole) {
                keep_weights(local, query, first, softmax);
                workgroupBarrier();
            }
            for (var s = slice; s < block(query, first); s += SLICES) {
                let key = key_row(query.first + first + s);
                if (key != NONE) {
                    let v = (key * 3u + 2u) * params.H * params.E + query.col;
                    sum += weights[s] * qkv_quad(v + e);
                }
            }
            if (!is_whole) {
                workgroupBarrier();
            }
        }
        if (first_e > 0u) {
            // The last columns' sums are read until here.
            workgroupBarrier();
        }
        sums[local] = sum;
        workgroupBarrier();
        if (slice == 0u && e < params.E) {
            for (var other = local + QUADS; other < GROUP; other += QUADS) {
                sum += sums[other];
            }
            for (var copy = row; copy != NONE; copy = same_as(copy)) {
                put_z(copy * params.H * params.E + query.col + e, params.E - e, sum);
            }
        }
    }
}
