//! One step: what it does and how long it is likely to take, said before; how it went, said after.

use std::{
    fmt,
    io::{self, Write},
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

/// Writes one line to the terminal. A closed pipe is no reason to stop.
macro_rules! say {
    ($($text:tt)*) => { $crate::step::line(format_args!($($text)*)) };
}
pub(crate) use say;

pub(crate) fn line(text: fmt::Arguments<'_>) {
    let mut out = io::stdout().lock();
    let _closed = writeln!(out, "{text}").and_then(|()| out.flush());
}

/// Says what went wrong, where errors go.
pub(crate) fn complain(text: fmt::Arguments<'_>) {
    let _closed = writeln!(io::stderr().lock(), "{text}");
}

/// What a person is told of a step before it starts.
#[derive(Clone, Copy)]
pub(crate) struct Step<'a> {
    pub(crate) name: &'a str,
    pub(crate) does: &'a str,
    pub(crate) takes: &'a str,
}

impl Step<'_> {
    /// Announces the step, does `work`, and says how it ended.
    pub(crate) fn run(self, work: impl FnOnce() -> Result<()>) -> (Duration, Result<()>) {
        say!("\n==> {}: {} ({})", self.name, self.does, self.takes);
        let began = Instant::now();
        let result = work();
        let took = began.elapsed();
        match &result {
            Ok(()) => say!("    {}: done in {}", self.name, Spent(took)),
            Err(error) => say!("    {}: FAILED after {}: {error:#}", self.name, Spent(took)),
        }
        (took, result)
    }
}

/// What a command prints.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let output = command.output().with_context(|| format!("{command:?} cannot be started"))?;
    if !output.status.success() {
        let said = [output.stdout, output.stderr].concat();
        bail!("{command:?} ended with {}:\n{}", output.status, String::from_utf8_lossy(&said));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Runs a command, shown as a person would type it. Anything but success is an error.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let shown = shown(command);
    say!("    $ {shown}");
    let status = command.status().with_context(|| format!("`{shown}` cannot be started"))?;
    if !status.success() {
        bail!("`{shown}` ended with {status}");
    }
    Ok(())
}

fn shown(command: &Command) -> String {
    let program = command.get_program().to_string_lossy();
    let program = program.rsplit('/').next().unwrap_or_default().to_owned();
    let words = command.get_args().map(|word| {
        let word = word.to_string_lossy();
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_=./:,+@".contains(c);
        if !word.is_empty() && word.chars().all(plain) {
            word.into_owned()
        } else {
            format!("'{}'", word.replace('\'', r"'\''"))
        }
    });
    std::iter::once(program).chain(words).collect::<Vec<_>>().join(" ")
}

/// A duration as people say it.
pub(crate) struct Spent(pub(crate) Duration);

impl fmt::Display for Spent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs_f64();
        if seconds < 10.0 {
            write!(f, "{seconds:.1} s")
        } else if seconds < 120.0 {
            write!(f, "{seconds:.0} s")
        } else {
            let whole = self.0.as_secs();
            write!(f, "{} min {:02} s", whole / 60, whole % 60)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_naturally() {
        let said = |seconds| Spent(Duration::from_secs_f64(seconds)).to_string();
        assert_eq!(said(0.04), "0.0 s");
        assert_eq!(said(9.94), "9.9 s");
        assert_eq!(said(41.2), "41 s");
        assert_eq!(said(119.9), "120 s");
        assert_eq!(said(192.0), "3 min 12 s");
    }

    #[test]
    fn a_command_is_shown_so_that_it_can_be_pasted() {
        let mut command = Command::new("/some/bin/cargo-nextest");
        command.args(["nextest", "run", "-E", "test(/(^|::)gpu/)", ""]);
        assert_eq!(shown(&command), "cargo-nextest nextest run -E 'test(/(^|::)gpu/)' ''");
    }

    #[test]
    fn a_command_that_fails_or_is_missing_is_named() {
        let said = |program: &str| {
            run(&mut Command::new(program)).err().map(|error| error.to_string()).unwrap_or_default()
        };
        assert!(said("false").contains("`false` ended with"));
        assert!(said("no-such-program").contains("`no-such-program` cannot be started"));
        assert_eq!(said("true"), "");
    }
}
