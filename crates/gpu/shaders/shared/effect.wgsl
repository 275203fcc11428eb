// What a change does. Where there is none, the coefficient may not have been computed.
fn effect(change: f32, coefficient: f32) -> f32 {
    return select(change * coefficient, 0.0, change == 0.0);
}
