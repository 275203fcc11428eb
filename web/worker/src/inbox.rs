//! The commands that wait, and those that are not wanted any more.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, Waker};

use relp_engine::Reader;
use relp_protocol::{Command, Event, Failure, Id};
use wasm_bindgen_futures::spawn_local;
use web_sys::{AbortController, File};

use crate::models;
use crate::post;
use crate::work::answered;

/// Commands in the order they came. Previews and questions about models are answered at once, and
/// cancellations take effect at once, even while another command is being worked on.
#[derive(Default)]
pub(crate) struct Inbox {
    waiting: RefCell<VecDeque<Command>>,
    waker: Cell<Option<Waker>>,
    /// The command that is being worked on.
    current: RefCell<Option<Command>>,
    /// Whether it is not wanted any more.
    cancelled: Cell<bool>,
    /// Stops its download.
    abort: RefCell<Option<AbortController>>,
    /// Reads prompts for the loaded model.
    reader: RefCell<Option<Rc<Reader>>>,
    /// The files that the person has chosen last.
    files: RefCell<Vec<File>>,
}

impl Inbox {
    /// Takes a command from the page.
    pub(crate) fn receive(&self, command: Command) {
        match &command {
            Command::Cancel { id } => return self.give_up(|other| id_of(other) == *id),
            Command::Preview { id, pair, metric } => {
                if let Some(reader) = self.reader.borrow().as_ref() {
                    return post(&Event::Preview {
                        id: *id,
                        preview: reader.preview(pair, *metric),
                    });
                }
            }
            Command::Run { .. } => self.give_up(|other| matches!(other, Command::Run { .. })),
            Command::Patterns { .. } => {
                self.give_up(|other| matches!(other, Command::Patterns { .. }));
            }
            Command::Similar { .. } => {
                self.give_up(|other| matches!(other, Command::Similar { .. }));
            }
            Command::Preflight { .. } | Command::Stored { .. } => {
                return spawn_local(look(command));
            }
            // These change nothing of what is going on.
            Command::Remove { .. } | Command::Survey { .. } => {}
            Command::Load { .. } | Command::Switch { .. } => {
                self.give_up(|other| {
                    !matches!(other, Command::Preview { .. } | Command::Remove { .. })
                });
            }
        }
        self.waiting.borrow_mut().push_back(command);
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    /// The next command to work on, when there is one.
    pub(crate) async fn next(&self) -> Command {
        self.current.replace(None);
        self.abort.replace(None);
        let command = poll_fn(|context| match self.waiting.borrow_mut().pop_front() {
            Some(command) => Poll::Ready(command),
            None => {
                self.waker.set(Some(context.waker().clone()));
                Poll::Pending
            }
        })
        .await;
        self.cancelled.set(false);
        self.current.replace(Some(command.clone()));
        command
    }

    /// Whether the command that is being worked on is not wanted any more.
    pub(crate) fn is_cancelled(&self) -> bool {
        self.cancelled.get()
    }

    /// What stops the download of the command that is being worked on.
    pub(crate) fn set_abort(&self, abort: AbortController) {
        self.abort.replace(Some(abort));
    }

    /// Takes the files that the person has chosen.
    pub(crate) fn set_files(&self, files: Vec<File>) {
        self.files.replace(files);
    }

    /// The files that the person has chosen last.
    pub(crate) fn files(&self) -> Vec<File> {
        self.files.borrow().clone()
    }

    /// What answers previews from now on.
    pub(crate) fn set_reader(&self, reader: Rc<Reader>) {
        self.reader.replace(Some(reader));
    }

    /// Drops the waiting commands that are not wanted, and tells the one that is being worked on.
    fn give_up(&self, unwanted: impl Fn(&Command) -> bool) {
        self.waiting.borrow_mut().retain(|command| {
            let unwanted = unwanted(command);
            if unwanted {
                post(&Event::Failed { id: id_of(command), failure: Failure::Cancelled });
            }
            !unwanted
        });
        if self.current.borrow().as_ref().is_some_and(unwanted) {
            self.cancelled.set(true);
            if let Some(abort) = self.abort.borrow().as_ref() {
                abort.abort();
            }
        }
    }
}

/// Answers a question about models, which needs no engine.
async fn look(command: Command) {
    let id = id_of(&command);
    let answer = match command {
        Command::Preflight { name, kind, precision, .. } => {
            let preflight = models::preflight(name, kind, precision).await;
            preflight.map(|preflight| Event::Preflight { id, preflight })
        }
        _ => models::stored().await.map(|stored| Event::Stored { id, stored }),
    };
    answered(id, answer);
}

/// What ties the answer to the command.
fn id_of(command: &Command) -> Id {
    match command {
        Command::Load { id, .. }
        | Command::Switch { id, .. }
        | Command::Preview { id, .. }
        | Command::Run { id, .. }
        | Command::Patterns { id, .. }
        | Command::Survey { id, .. }
        | Command::Similar { id, .. }
        | Command::Preflight { id, .. }
        | Command::Stored { id }
        | Command::Remove { id, .. }
        | Command::Cancel { id } => *id,
    }
}
