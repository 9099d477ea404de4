//! [`Journal`]: the file, to which lines are appended.

use std::{
    collections::HashMap,
    fs::{self, File, OpenOptions},
    io::{self, ErrorKind, Read, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use portcullis_core::{UnixTime, floors::FloorError};
use rustix::fs::{FlockOperation, flock};

use super::line::{HEAD, Line};

/// The open file.
pub(super) struct Journal {
    path: PathBuf,
    /// `None` after a failure: what the file then contains is not known, so it is rewritten.
    file: Option<File>,
    lines: usize,
    /// Held as long as the journal: it ends with the process.
    _lock: File,
}

/// A file with fewer lines is not shortened.
const FEW: usize = 1000;

impl Journal {
    /// Opens or creates the file. Returns its floors, too.
    pub(super) fn open(path: &Path) -> Result<(Self, HashMap<String, UnixTime>), FloorError> {
        let lock = lock(path)?;
        let floors = read(path)?;
        let mut journal = Self { path: path.into(), file: None, lines: 0, _lock: lock };
        journal.file = Some(journal.rewritten(&floors)?);
        Ok((journal, floors))
    }

    /// Appends a line to a file with these floors. It is on the disk when this returns.
    pub(super) fn append(&mut self, line: &Line, floors: &HashMap<String, UnixTime>) -> Result<(), FloorError> {
        let is_long = self.lines > FEW.max(2 * floors.len());
        let mut file = match self.file.take().filter(|_| !is_long) {
            Some(file) => file,
            None => self.rewritten(floors)?,
        };
        let text = line.to_json() + "\n";
        file.write_all(text.as_bytes()).and_then(|()| file.sync_data()).map_err(|error| failed(&self.path, error))?;
        self.file = Some(file);
        self.lines += 1;
        Ok(())
    }

    /// Replaces the file by one with a line for each floor.
    fn rewritten(&mut self, floors: &HashMap<String, UnixTime>) -> Result<File, FloorError> {
        let file = rewrite(&self.path, floors).map_err(|error| failed(&self.path, error))?;
        self.lines = floors.len();
        Ok(file)
    }
}

/// Makes sure that no other process uses the file.
fn lock(path: &Path) -> Result<File, FloorError> {
    let path = beside(path, ".lock");
    let file = OpenOptions::new().create(true).append(true).mode(0o600).open(&path);
    let file = file.map_err(|error| failed(&path, error))?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(file),
        Err(rustix::io::Errno::WOULDBLOCK) => Err(FloorError::unavailable(format!(
            "another process has locked {}, and only one can use the floors: end that one first, or use a file for each",
            path.display()
        ))),
        Err(error) => Err(failed(&path, error.into())),
    }
}

/// Reads the floors; none if there is no file.
fn read(path: &Path) -> Result<HashMap<String, UnixTime>, FloorError> {
    let mut text = String::new();
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(HashMap::new()),
        Err(error) => return Err(failed(path, error)),
    };
    let mode = file.metadata().map_err(|error| failed(path, error))?.mode();
    if mode & 0o022 != 0 {
        return Err(FloorError::corrupt(format!(
            "others may write the file of floors {} (mode {:o}): check its content, and `chmod 600` it",
            path.display(),
            mode & 0o777
        )));
    }
    file.read_to_string(&mut text).map_err(|error| match error.kind() {
        ErrorKind::InvalidData => damaged(path, "it is no text"),
        _ => failed(path, error),
    })?;
    parse(path, &text)
}

fn parse(path: &Path, text: &str) -> Result<HashMap<String, UnixTime>, FloorError> {
    // What follows the last line end was broken off, so it was not acknowledged.
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    let mut lines = whole.split('\n');
    if lines.next() != Some(HEAD) {
        return Err(damaged(
            path,
            "it does not begin with {\"form\":1}, so another version of Portcullis or another program wrote it",
        ));
    }
    let mut floors = HashMap::new();
    for (number, line) in lines.enumerate() {
        let line =
            Line::from_json(line).ok_or_else(|| damaged(path, &format!("line {} cannot be read", number + 2)))?;
        line.apply(&mut floors);
    }
    Ok(floors)
}

/// Writes all floors into a file that then takes the place of the one before.
fn rewrite(path: &Path, floors: &HashMap<String, UnixTime>) -> io::Result<File> {
    let new = beside(path, ".new");
    // One that a killed process has left, perhaps with other permissions.
    match fs::remove_file(&new) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut text = format!("{HEAD}\n");
    for (name, time) in floors {
        text.push_str(&Line { name: name.clone(), time: Some(*time) }.to_json());
        text.push('\n');
    }
    let mut file = OpenOptions::new().create_new(true).write(true).mode(0o600).open(&new)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&new, path)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()?;
    Ok(file)
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

fn failed(path: &Path, error: io::Error) -> FloorError {
    FloorError::unavailable(format!("the file of floors {} cannot be used", path.display())).with_source(error)
}

fn damaged(path: &Path, problem: &str) -> FloorError {
    FloorError::corrupt(format!(
        "the file of floors {} is damaged, or something else: {problem}. Restore it. If you move it away, documents that are older than those seen \
         before are accepted again",
        path.display()
    ))
}
