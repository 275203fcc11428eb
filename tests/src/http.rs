//! As much of HTTP as servers for tests need: one question a connection, so that nothing waits for a
//! connection that a browser keeps.

use std::io::{self, BufRead, BufReader, Write};
use std::net::TcpStream;

/// A question as it came.
pub struct Question {
    /// The method.
    pub method: String,
    /// Path and query.
    pub path: String,
    /// The first byte of the range, if one was asked for.
    pub from: Option<u64>,
    /// The validator of the range.
    pub if_range: Option<String>,
}

impl Question {
    /// Reads the head of a question.
    ///
    /// # Errors
    /// If the connection breaks.
    pub fn read(stream: &TcpStream) -> io::Result<Self> {
        let mut lines = BufReader::new(stream).lines();
        let first = lines.next().transpose()?.unwrap_or_default();
        let mut words = first.split(' ').map(str::to_owned);
        let method = words.next().unwrap_or_default();
        let path = words.next().unwrap_or_default();
        let mut question = Self { method, path, from: None, if_range: None };
        for line in lines {
            let line = line?;
            let Some((name, value)) = line.split_once(':') else { break };
            let value = value.trim();
            match name.to_ascii_lowercase().as_str() {
                "range" => {
                    let from =
                        value.strip_prefix("bytes=").and_then(|range| range.split('-').next());
                    question.from = from.and_then(|from| from.parse().ok());
                }
                "if-range" => question.if_range = Some(value.to_owned()),
                _ => {}
            }
        }
        Ok(question)
    }
}

/// Writes the head of an answer.
///
/// # Errors
/// If the connection breaks.
pub fn write_head(mut stream: &TcpStream, status: u16, headers: &[String]) -> io::Result<()> {
    let mut head = format!("HTTP/1.1 {status} Answer\r\nConnection: close\r\n");
    for header in headers {
        head += &format!("{header}\r\n");
    }
    stream.write_all((head + "\r\n").as_bytes())
}
