// A product is written as it is.

fn store(n: u32, count: u32, value: vec4<f32>) {
    put_out(n, count, value);
}
