//! A figure in somebody else's page: `relp-figure.js` makes the element, this draws the picture and says what
//! its cells are. It knows no engine.

mod picture;

pub use picture::Picture;

fn main() {}
