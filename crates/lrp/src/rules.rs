//! The LRP rules: alternatives to local derivatives. Nothing outside this file reads a rule.

use std::fmt;
use std::str::FromStr;

use relp_tape::Slope;

/// Which rules replace local derivatives on the way back. Every other operation (linear layers,
/// embeddings, residual sums, biases) keeps its plain gradient, which is the LRP 0-rule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Rules {
    /// LN-rule (Ali et al. 2022): in y = (x − μ)/σ · γ + β the denominator σ is a constant; the
    /// centring stays live. Includes the final LayerNorm.
    pub ln: bool,
    /// Identity-rule (Jafari et al. 2024): f′(x) of an activation function f becomes f(x)/x. For
    /// `gelu_new` that is ½(1 + tanh(√(2/π)(x + 0.044715 x³))), which needs no stabiliser at 0.
    pub identity: bool,
    /// Half-rule (Arras et al. 2019; Jafari et al. 2024): of a product a·b, each factor gets half
    /// of its gradient. GPT-2 has no multiplicative gate, so nothing changes there.
    pub half: bool,
    /// AH-rule (Ali et al. 2022): the attention pattern is a constant, relevance flows through
    /// the values alone.
    pub ah: bool,
}

/// One of the rules, as the fields of [`Rules`] describe them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rule {
    /// [`Rules::ln`].
    Ln,
    /// [`Rules::identity`].
    Identity,
    /// [`Rules::half`].
    Half,
    /// [`Rules::ah`].
    Ah,
}

impl Rule {
    /// All rules.
    pub const ALL: [Self; 4] = [Self::Ln, Self::Identity, Self::Half, Self::Ah];

    /// The short name.
    pub fn name(self) -> &'static str {
        match self {
            Rule::Ln => "ln",
            Rule::Identity => "identity",
            Rule::Half => "half",
            Rule::Ah => "ah",
        }
    }
}

impl Rules {
    /// No rule: the plain gradient.
    pub const NONE: Self = Self { ln: false, identity: false, half: false, ah: false };

    /// The rules of RelP (arXiv 2508.21258): LN, Identity and Half.
    pub const RELP: Self = Self { ln: true, identity: true, half: true, ah: false };

    /// Whether a rule is on.
    pub fn is_on(self, rule: Rule) -> bool {
        match rule {
            Rule::Ln => self.ln,
            Rule::Identity => self.identity,
            Rule::Half => self.half,
            Rule::Ah => self.ah,
        }
    }

    /// Switches a rule.
    pub fn set(&mut self, rule: Rule, on: bool) {
        let switch = match rule {
            Rule::Ln => &mut self.ln,
            Rule::Identity => &mut self.identity,
            Rule::Half => &mut self.half,
            Rule::Ah => &mut self.ah,
        };
        *switch = on;
    }

    /// The rules that are on.
    pub fn on(self) -> impl Iterator<Item = Rule> {
        Rule::ALL.into_iter().filter(move |&rule| self.is_on(rule))
    }

    /// The rules that are on, by short name.
    pub fn names(self) -> Vec<&'static str> {
        self.on().map(Rule::name).collect()
    }

    /// LayerNorm: is 1/σ held constant?
    pub(crate) fn detach_scale(self) -> bool {
        self.ln
    }

    /// Activation functions: what stands for the slope?
    pub(crate) fn slope(self) -> Slope {
        if self.identity { Slope::Ratio } else { Slope::Derivative }
    }

    /// Products: the share of its gradient that each factor gets.
    pub(crate) fn product_share(self) -> f32 {
        if self.half { 0.5 } else { 1.0 }
    }

    /// Attention: does anything flow through the pattern?
    pub(crate) fn through_pattern(self) -> bool {
        !self.ah
    }
}

/// The short names joined by commas, or `none`.
impl fmt::Display for Rules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.names() {
            names if names.is_empty() => f.write_str("none"),
            names => f.write_str(&names.join(",")),
        }
    }
}

/// Reads what [`Display`](fmt::Display) writes, in any order.
impl FromStr for Rules {
    type Err = UnknownRule;

    fn from_str(text: &str) -> Result<Self, UnknownRule> {
        let mut rules = Self::NONE;
        if text.trim() == "none" {
            return Ok(rules);
        }
        for name in text.split(',').map(str::trim) {
            match Rule::ALL.into_iter().find(|rule| rule.name() == name) {
                Some(rule) => rules.set(rule, true),
                None => return Err(UnknownRule(name.to_owned())),
            }
        }
        Ok(rules)
    }
}

/// A name that is no rule's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownRule(pub String);

impl fmt::Display for UnknownRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = Rule::ALL.map(Rule::name).join(", ");
        write!(f, "\"{}\" is not a rule; the rules are {known}, or none", self.0)
    }
}

impl std::error::Error for UnknownRule {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip_for_every_set() {
        for bits in 0..16_u8 {
            let rules = Rules {
                ln: bits & 1 > 0,
                identity: bits & 2 > 0,
                half: bits & 4 > 0,
                ah: bits & 8 > 0,
            };
            assert_eq!(rules.to_string().parse(), Ok(rules));
        }
    }

    #[test]
    fn a_misspelt_rule_is_an_error() {
        assert_eq!("ln,identiy".parse::<Rules>(), Err(UnknownRule("identiy".to_owned())));
        assert_eq!("".parse::<Rules>(), Err(UnknownRule(String::new())));
    }
}
