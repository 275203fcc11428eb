//! Hundreds of requests of which each lets go of what those before it left: memory has to stay where it was.

use relp_model::{Direction, Method, PairText, Request};

/// So many pairs and recipes there are about one place.
pub const ROUND: usize = 448;

/// The `n`-th thing to ask: another pair than those before it, and of 8 recipes, when 6 plans are kept. What takes many
/// passes is left out where there is not the time.
pub fn request(n: usize, many_passes: bool) -> Request {
    const NAMES: [&str; 8] = ["John", "Mary", "Tom", "Anna", "Paul", "Kate", "Mark", "Lucy"];
    const PLACES: [&str; 4] = ["shop", "park", "school", "museum"];
    let (method, words) = [
        (Method::Relp, 1),
        (Method::Atp, 1),
        (Method::Relp, 2),
        (Method::Ap, 1),
        (Method::Relp, 3),
        (Method::Atp, 2),
        (Method::Relp, 4),
        (Method::IgInputs, 3),
    ][n % 8];
    let method = match method {
        Method::Ap | Method::IgInputs if !many_passes => Method::GradXInput,
        _ => method,
    };
    let (one, other) = (NAMES[n / 8 % 8], NAMES[(n / 8 + 1 + n / 64 % 7) % 8]);
    let place = PLACES[n / ROUND % 4];
    // Another number of words is another length, and so another recipe.
    let gone = ["went", "then went", "both then went", "both then went back"][words - 1];
    let prompt =
        |giver| format!("When {one} and {other} {gone} to the {place}, {giver} gave a drink to");
    Request {
        pair: PairText {
            clean: prompt(one),
            corrupted: prompt(other),
            answers: vec![format!(" {other}")],
            foils: vec![format!(" {one}")],
            bos: n % 16 < 8,
        },
        method,
        direction: if n.is_multiple_of(2) { Direction::Denoise } else { Direction::Noise },
        ..Request::default()
    }
}
