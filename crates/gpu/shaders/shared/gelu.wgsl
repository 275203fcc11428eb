// gelu(x) = x · ½(1 + tanh(u)) with u = √(2/π)(x + 0.044715 x³), and what stands in for its slope.

// √(2/π)
const SCALE = 0.7978845608028654;

// exp(−2u). ½(1 + tanh(u)) = 1 / (1 + exp(−2u)): WGSL grants tanh an error of 1e-5, and drivers overflow
// in it; beyond ±80 the quotient is 0 or 1 in f32.
fn gelu_exp(x: vec4<f32>) -> vec4<f32> {
    let u = SCALE * (x + 0.044715 * x * x * x);
    return exp(-clamp(2.0 * u, vec4<f32>(-80.0), vec4<f32>(80.0)));
}

fn gelu(x: vec4<f32>) -> vec4<f32> {
    return x / (1.0 + gelu_exp(x));
}

// gelu′(x), or gelu(x)/x.
fn gelu_slope(x: vec4<f32>, is_ratio: bool) -> vec4<f32> {
    let q = gelu_exp(x);
    let ratio = 1.0 / (1.0 + q);
    if (is_ratio) {
        return ratio;
    }
    // d ratio / dx = ratio · (1 − ratio) · 2u′, where 1 − ratio = q · ratio without cancellation.
    let inner_slope = SCALE * (1.0 + 3.0 * 0.044715 * x * x);
    return ratio + x * (q * ratio) * ratio * 2.0 * inner_slope;
}
