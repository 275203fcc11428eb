//! Texts that encoders have been known to disagree on.

/// Words, scripts, signs and spaces, by themselves and in pairs.
pub(crate) fn all() -> Vec<String> {
    let pieces = pieces();
    let mut texts: Vec<String> = pieces.iter().map(|&piece| piece.to_owned()).collect();
    for first in &pieces {
        for second in &pieces {
            texts.push(format!("{first}{second}"));
        }
    }
    for spaces in [" ", "\t", "\n", "\r\n", "\u{a0}", "\u{2003}", "\u{3000}", "\u{85}"] {
        for count in 1..20 {
            let run = spaces.repeat(count);
            texts.extend([
                run.clone(),
                format!("a{run}"),
                format!("{run}b"),
                format!("a{run}b{run}"),
            ]);
        }
    }
    texts
}

fn pieces() -> Vec<&'static str> {
    vec![
        "",
        " ",
        "  ",
        "\n",
        "\n\n",
        " \n ",
        "\t",
        "\r\n",
        "\u{a0}",
        "\u{200b}",
        "\u{feff}",
        "\u{0}",
        "\u{1}\u{2}\u{7f}",
        "\u{85}",
        "\u{2028}",
        "a",
        "A",
        "The",
        " the",
        "don't",
        "DON'T",
        "we'll",
        "'s",
        "'S",
        "it''s",
        "they've'd",
        "’s",
        "I’m",
        "1",
        "12",
        "12345678",
        "3.14",
        "1,000",
        "½",
        "²",
        "Ⅷ",
        "٣",
        "naïve",
        "café",
        "cafe\u{301}",
        "Straße",
        "ﬁ",
        "İstanbul",
        "ǅ",
        "Привет",
        "Γειά",
        "שלום",
        "مرحبا",
        "नमस्ते",
        "สวัสดี",
        "你好",
        "こんにちは",
        "안녕",
        "🦀",
        "😀",
        "👨‍👩‍👧‍👦",
        "🏳️‍🌈",
        "🇩🇪",
        "❤️",
        "👍🏽",
        "!",
        "?!",
        "...",
        "…",
        "--",
        "—",
        "\"",
        "“quoted”",
        "(a)",
        "[b]",
        "{c}",
        "<d>",
        "a_b",
        "a-b",
        "a.b",
        "@user",
        "#tag",
        "https://example.org/?q=1&r=2#x",
        "me@example.org",
        "fn main() { println!(\"{}\", x); }",
        "    return x;\n",
        "\tif (a == b) {\n",
        "x+=1;//c",
        "<p class=\"q\">",
        "\\n",
        "$\\alpha_1$",
        "<|endoftext|>",
        "<|endoftext",
        "|>",
        "<0xE2>",
        "SolidGoldMagikarp",
        "supercalifragilisticexpialidocious",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "\u{10ffff}",
        "\u{fffd}",
        "\u{e000}",
    ]
}

/// Texts of more than 100 kB, one kind of which is what made a regular expression give up.
pub(crate) fn long() -> Vec<String> {
    let mixed = pieces().join(" ");
    let prose = "When Mary and John went to the store, John gave a drink to Mary.\n";
    let mut long: Vec<String> = [mixed.as_str(), prose, "ab1 ", "\u{3000}x", "🦀"]
        .iter()
        .map(|text| text.repeat(100_000 / text.len() + 1))
        .collect();
    for text in ["a", " ", "\n", "\u{a0}", "!", "7", "中"] {
        let run = text.repeat(100_000 / text.len() + 1);
        long.push(run.clone());
        long.push(format!("{run}x"));
    }
    long
}
