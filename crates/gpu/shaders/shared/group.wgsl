// The largest and the sum of the values that the GROUP invocations of a workgroup have (a power of 2
// that each shader says). All of them call, and may call again at once.

const LOWEST = -3.4e38;

var<workgroup> partial: array<f32, GROUP>;

fn max_of_group(local: u32, value: f32) -> f32 {
    partial[local] = value;
    workgroupBarrier();
    for (var width = GROUP / 2u; width > 0u; width /= 2u) {
        if (local < width) {
            partial[local] = max(partial[local], partial[local + width]);
        }
        workgroupBarrier();
    }
    let largest = partial[0];
    workgroupBarrier();
    return largest;
}

// As a tree: always in the same order.
fn sum_of_group(local: u32, value: f32) -> f32 {
    partial[local] = value;
    workgroupBarrier();
    for (var width = GROUP / 2u; width > 0u; width /= 2u) {
        if (local < width) {
            partial[local] += partial[local + width];
        }
        workgroupBarrier();
    }
    let sum = partial[0];
    workgroupBarrier();
    return sum;
}
