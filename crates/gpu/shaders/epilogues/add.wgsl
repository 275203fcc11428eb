// sum = out + other, for a result [R,J]

@group(0) @binding(5) var<storage, read> other: array<f32>; // [≥R,J]
@group(0) @binding(6) var<storage, read_write> sum: array<f32>; // [R,J]

fn store(n: u32, count: u32, value: vec4<f32>) {
    put_out(n, count, value);
    put_sum(n, count, value + other_quad(n));
}
