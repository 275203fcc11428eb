// out[n] = a number read off row n of the logits: ln Σ p over the answers, Σ p over the answers − Σ p
// over the foils, or Σ_v P_v (ln P_v − ln p_v) with P of a row of `clean`. One workgroup a row.

struct Params {
    N: u32, // rows
    V: u32,
    K: u32, // targets a row
    answers: u32, // how many of them are answers
    measure: u32, // 0 log_prob, 1 prob_diff, 2 divergence
}

const GROUP = 64u;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> logits: array<f32>; // [N,V]
@group(0) @binding(2) var<storage, read> clean: array<f32>; // [C,V]
@group(0) @binding(3) var<storage, read> clean_rows: array<u32>; // [≥N]
@group(0) @binding(4) var<storage, read> targets: array<u32>; // [≥N,K]
@group(0) @binding(5) var<storage, read_write> out: array<f32>; // [N,1]

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

    let of_largest = largest + log(sum);
    let clean_of_largest = clean_largest + log(clean_sum);
    var divergence = 0.0;
    for (var v = local; v < params.V; v += GROUP) {
        let log_clean = clean[clean_row + v] - clean_of_largest;
        divergence += exp(log_clean) * (log_clean - (logits[row + v] - of_largest));
    }
    divergence = sum_of_group(local, divergence);

    if (local != 0u) {
        return;
    }
    var value = divergence;
    if (params.measure == 0u) {
        var best = LOWEST;
        for (var k = 0u; k < params.answers; k += 1u) {
            best = max(best, logits[row + targets[n * params.K + k]]);
        }
        var answers = 0.0;
        for (var k = 0u; k < params.answers; k += 1u) {
            answers += exp(logits[row + targets[n * params.K + k]] - best);
        }
        value = best + log(answers) - of_largest;
    } else if (params.measure == 1u) {
        value = 0.0;
        for (var k = 0u; k < params.K; k += 1u) {
            let p = exp(logits[row + targets[n * params.K + k]] - largest) / sum;
            value += select(-p, p, k < params.answers);
        }
    }
    out[n] = value;
}
