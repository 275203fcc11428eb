//! The ops that compare a base run with its source run, and that put parts of one into the other.

use super::Cases;

pub(super) fn push(cases: &mut Cases) {
    delta_dot(cases);
    interpolate(cases);
    add_rows(cases);
    splice(cases);
    attention_rows(cases);
    append_means(cases);
    qk_fix(cases);
}

fn delta_dot(cases: &mut Cases) {
    // The last has more rows than WebGPU allows workgroups along an axis.
    for (b, t, d) in [(1, 1, 1), (2, 7, 5), (1, 33, 65), (3, 2, 257), (1, 3, 768), (1, 65_537, 1)] {
        cases.push(&format!("B={b} T={t} D={d}"), |r| {
            let act = r.input("act", &[2 * b, t, d], 1.0);
            let grad = r.input("grad", &[b, t, d], 1.0);
            r.tape.delta_dot("out", act, grad, 0, 1);
        });
    }
    // Several coefficients for each row, a window of the columns, groups of them.
    for (b, n, t, c, first_col, j, groups) in [
        (1, 3, 2, 6, 0, 6, 3),
        (2, 1, 5, 8, 7, 20, 2),
        (1, 2, 3, 130, 1, 131, 2),
        (2, 2, 3, 12, 12, 36, 12),
        (1, 5, 1, 65, 0, 65, 1),
    ] {
        cases.push(&format!("B={b} N={n} T={t} C={c} of {j} from {first_col} G={groups}"), |r| {
            let act = r.input("act", &[2 * b, t, j], 1.0);
            let grad = r.input("grad", &[n * b, t, c], 1.0);
            r.tape.delta_dot("out", act, grad, first_col, groups);
        });
    }
    cases.push("of patterns", |r| {
        let act = r.input("act", &[2, 3, 5, 5], 1.0);
        let grad = r.input("grad", &[1, 3, 5, 5], 1.0);
        r.tape.delta_dot("out", act, grad, 0, 5);
    });
}

fn interpolate(cases: &mut Cases) {
    for (b, t, d, steps) in [(1, 1, 1, 1), (1, 7, 33, 5), (3, 2, 5, 2), (1, 65, 3, 50)] {
        cases.push(&format!("B={b} T={t} D={d} steps={steps}"), |r| {
            let x = r.input("x", &[2 * b, t, d], 1.0);
            r.tape.interpolate("out", x, 0..d, steps);
        });
    }
    for (columns, d) in [(0..1, 3), (2..3, 3), (5..65, 130), (1..1, 2)] {
        cases.push(&format!("columns {columns:?} of {d}"), |r| {
            let x = r.input("x", &[4, 3, d], 1.0);
            r.tape.interpolate("out", x, columns, 3);
        });
    }
}

fn add_rows(cases: &mut Cases) {
    for (a, b, d, rows) in
        [(1, 1, 1, vec![1]), (3, 7, 5, vec![65]), (33, 2, 257, vec![4, 3]), (5, 5, 768, vec![2])]
    {
        cases.push(&format!("A={a} B={b} D={d} rows={rows:?}"), |r| {
            let (a_rows, b_rows) = (r.ids(&rows, a + 1), r.ids(&rows, b + 1));
            let (a, b) = (r.input("a", &[a, d], 1.0), r.input("b", &[b, d], 1.0));
            r.tape.add_rows("out", a, a_rows, b, b_rows);
        });
    }
    for nothing in [[true, false], [false, true]] {
        cases.push(&format!("nothing of {nothing:?}"), |r| {
            let rows = nothing.map(|nothing| {
                let buf = r.tape.ids("ids", &[3], 3);
                r.feed.ids(buf, if nothing { vec![2; 3] } else { vec![1, 0, 1] });
                buf
            });
            let (a, b) = (r.input("a", &[2, 5], 1.0), r.input("b", &[2, 5], 1.0));
            r.tape.add_rows("out", a, rows[0], b, rows[1]);
        });
    }
}

fn splice(cases: &mut Cases) {
    for (x, blocks, width, rows) in [(2, 1, 1, 1), (3, 5, 1, 65), (7, 3, 4, 10), (33, 12, 64, 3)] {
        cases.push(&format!("X={x} blocks={blocks} width={width} rows={rows}"), |r| {
            let taken = r.tape.ids("rows", &[rows, 2], x as u32 + 1);
            let mut ids: Vec<u32> = (0..2 * rows).map(|_| r.random.below(x as u32 + 1)).collect();
            // Not all of it is zeros.
            ids[2 * rows - 1] = 0;
            ids[2 * rows - 2] = 1;
            r.feed.ids(taken, ids);
            let block = r.ids(&[rows], blocks);
            let x = r.input("x", &[x, blocks * width], 1.0);
            r.tape.splice("out", x, taken, block, width);
        });
    }
}

fn attention_rows(cases: &mut Cases) {
    for (n, t, h, e, rows) in [
        (1, 1, 1, 1, 1),
        (5, 3, 2, 3, 7),
        (16, 15, 12, 4, 5),
        (70, 65, 1, 5, 3),
        (9, 130, 2, 70, 2),
        (3, 7, 2, 130, 4),
        (9, 1030, 1, 68, 2),
    ] {
        // Scores up to 1, and up to 100.
        for size in [1.0, 10.0] {
            let size = size / (e as f32).sqrt().sqrt();
            cases.push(&format!("N={n} T={t} H={h} E={e} rows={rows} size={size}"), |r| {
                let queries = r.ids(&[rows], n);
                let keys = r.tape.ids("keys", &[rows, t], n as u32 + 1);
                let mut ids: Vec<u32> =
                    (0..rows * t).map(|_| r.random.below(n as u32 + 1)).collect();
                // There is always something to attend to.
                ids.chunks_mut(t).for_each(|keys| keys[t / 2] = 0);
                r.feed.ids(keys, ids);
                let qkv = r.input("qkv", &[n, 3 * h * e], size);
                r.tape.attention_rows("out", qkv, queries, keys, h);
            });
        }
    }
}

fn append_means(cases: &mut Cases) {
    for (x, d, m, k) in [(1, 1, 1, 1), (3, 5, 2, 4), (65, 257, 3, 65), (7, 768, 1, 30)] {
        cases.push(&format!("X={x} D={d} M={m} K={k}"), |r| {
            let rows = r.ids(&[m, k], x);
            let x = r.input("x", &[x, d], 1.0);
            r.tape.append_means("out", x, rows);
        });
    }
    cases.push("of sequences", |r| {
        let rows = r.ids(&[1, 4], 6);
        let x = r.input("x", &[2, 3, 5], 1.0);
        r.tape.append_means("out", x, rows);
    });
}

fn qk_fix(cases: &mut Cases) {
    for (b, h, t, e) in
        [(1, 1, 1, 1), (1, 1, 2, 3), (2, 3, 5, 1), (1, 2, 33, 4), (2, 12, 15, 4), (1, 2, 130, 2)]
    {
        // Scores up to 1, and up to 100.
        for size in [1.0, 10.0] {
            let size = size / (e as f32).sqrt().sqrt();
            cases.push(&format!("B={b} H={h} T={t} E={e} size={size}"), |r| {
                let qkv = r.input("qkv", &[2 * b, t, 3 * h * e], size);
                let dp = r.input("dp", &[b, h, t, t], 1.0);
                r.tape.qk_fix("out", qkv, dp);
            });
        }
    }
}
