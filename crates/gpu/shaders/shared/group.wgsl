// The largest and the sum of the values that the GROUP invocations of a workgroup have (a multiple of WAYS that each shader
// says), in two steps: every WAYS-th, then those. All of them call, and may call again at once. A Value is one number, or
// one for each of several rows.

const LOWEST = -3.4e38;
const WAYS = 8u;

var<workgroup> of_each: array<Value, GROUP>;
var<workgroup> of_ways: array<Value, WAYS>;

fn max_of_group(local: u32, value: Value) -> Value {
    of_each[local] = value;
    workgroupBarrier();
    if (local < WAYS) {
        var largest = of_each[local];
        for (var other = local + WAYS; other < GROUP; other += WAYS) {
            largest = max(largest, of_each[other]);
        }
        of_ways[local] = largest;
    }
    workgroupBarrier();
    var largest = of_ways[0];
    for (var way = 1u; way < WAYS; way += 1u) {
        largest = max(largest, of_ways[way]);
    }
    return largest;
}

// Always in the same order, the last of it in pairs, which loses least.
fn sum_of_group(local: u32, value: Value) -> Value {
    of_each[local] = value;
    workgroupBarrier();
    if (local < WAYS) {
        var sum = of_each[local];
        for (var other = local + WAYS; other < GROUP; other += WAYS) {
            sum += of_each[other];
        }
        of_ways[local] = sum;
    }
    workgroupBarrier();
    let firsts = (of_ways[0] + of_ways[1]) + (of_ways[2] + of_ways[3]);
    return firsts + ((of_ways[4] + of_ways[5]) + (of_ways[6] + of_ways[7]));
}
