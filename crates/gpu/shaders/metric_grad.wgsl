// out[n,v] = dy[n] · ∂ metric / ∂ logits[n,v], see metric.wgsl. One workgroup a row.

struct Params {
    N: u32, // rows
    V: u32,
    K: u32, // targets a row
    answers: u32, // how many of them are answers
    measure: u32, // 0 log_prob, 1 prob_diff, 2 divergence
}

const GROUP = 64u;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> dy: array<f32>; // [N,1]
@group(0) @binding(2) var<storage, read> logits: array<f32>; // [≥N,V]
@group(0) @binding(3) var<storage, read> clean: array<f32>; // [C,V]
@group(0) @binding(4) var<storage, read> clean_rows: array<u32>; // [≥N]
@group(0) @binding(5) var<storage, read> targets: array<u32>; // [≥N,K]
@group(0) @binding(6) var<storage, read_write> out: array<f32>; // [N,V]

@compute @workgroup_size(GROUP)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let n = group.y * groups.x + group.x;
    if (n >= params.N) {
        return;
    }
    let row = n * params.V;
    let clean_row = clean_rows[n] * params.V;

    var largest = LOWEST;
    var clean_largest = LOWEST;
    for (var v = local; v < params.V; v += GROUP) {
        largest = max(largest, logits[row + v]);
        clean_largest = max(clean_largest, clean[clean_row + v]);
    }
    largest = max_of_group(local, largest);
    clean_largest = max_of_group(local, clean_largest);
    var sum = 0.0;
    var clean_sum = 0.0;
    for (var v = local; v < params.V; v += GROUP) {
        sum += exp(logits[row + v] - largest);
        clean_sum += exp(clean[clean_row + v] - clean_largest);
    }
    sum = sum_of_group(local, sum);
    clean_sum = sum_of_group(local, clean_sum);

    // Of the answers: Σ p − Σ p of the foils, and the largest logit with the sum over exponentials.
    var best = LOWEST;
    var difference = 0.0;
    for (var k = 0u; k < params.K; k += 1u) {
        let logit = logits[row + targets[n * params.K + k]];
        let p = exp(logit - largest) / sum;
        difference += select(-p, p, k < params.answers);
        best = max(best, select(LOWEST, logit, k < params.answers));
    }
    var answers = 0.0;
    for (var k = 0u; k < params.answers; k += 1u) {
        answers += exp(logits[row + targets[n * params.K + k]] - best);
    }

    for (var v = local; v < params.V; v += GROUP) {
        let logit = logits[row + v];
        let p = exp(logit - largest) / sum;
        var slope = 0.0;
        if (params.measure == 2u) {
            slope = p - exp(clean[clean_row + v] - clean_largest) / clean_sum;
        } else {
            var own = 0.0;
            for (var k = 0u; k < params.K; k += 1u) {
                if (targets[n * params.K + k] == v) {
                    own = select(-1.0, 1.0, k < params.answers);
                }
            }
            if (params.measure == 1u) {
                slope = p * (own - difference);
            } else {
                slope = select(0.0, exp(logit - best) / answers, own > 0.0) - p;
            }
        }
        out[row + v] = dy[n] * slope;
    }
}
