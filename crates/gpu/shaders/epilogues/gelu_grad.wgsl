// dx = out · gelu′(act), or out · gelu(act)/act if IS_RATIO, for a result [R,I].

@group(0) @binding(5) var<storage, read> act: array<f32>; // [≥R,I]
@group(0) @binding(6) var<storage, read_write> dx: array<f32>; // [R,I]

fn store(n: u32, count: u32, value: vec4<f32>) {
    put_out(n, count, value);
    put_dx(n, count, value * gelu_slope(act_quad(n), IS_RATIO));
}
