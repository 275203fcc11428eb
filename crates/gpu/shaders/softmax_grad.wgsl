// out[…,s] = y[…,s] · (dy[…,s] − Σ_u dy[…,u] · y[…,u]). One workgroup a head of a row (b,t).

struct Params {
    R: u32, // B·T
    T: u32,
    H: u32,
    S: u32,
}

const GROUP = 64u;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> dy: array<f32>; // [B,H,T,S]
@group(0) @binding(2) var<storage, read> y: array<f32>; // [≥B,H,T,S]
@group(0) @binding(3) var<storage, read_write> out: array<f32>; // [B,H,T,S]

@compute @workgroup_size(GROUP)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let n = group.y * groups.x + group.x;
    if (n >= rows() * params.H) {
        return;
    }
    let row = row_of(n % rows());
    let h = n / rows();
    let at = head_row(row, h) * params.S;
    var sum = 0.0;
    for (var u = local; u < params.S; u += GROUP) {
        sum += dy[at + u] * y[at + u];
    }
    let mean = sum_of_group(local, sum);
    for (var s = local; s < params.S; s += GROUP) {
        out[at + s] = y[at + s] * (dy[at + s] - mean);
    }
}
