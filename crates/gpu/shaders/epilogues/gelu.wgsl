// post = gelu(out), for a result [R,J]

@group(0) @binding(5) var<storage, read_write> post: array<f32>; // [R,J]

fn store(n: u32, count: u32, value: vec4<f32>) {
    put_out(n, count, value);
    put_post(n, count, gelu(value));
}
