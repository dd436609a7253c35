//! Texts that are parsed side by side. What comes of it is the same as one after the other; only the wait is shorter.

use crate::check::resolve::items::FileItems;
use crate::limits;
use crate::source::FileId;
use std::num::NonZero;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Parses texts side by side, as many at once as there are processors; a few lines are not worth a thread.
pub(crate) fn parse_all(texts: Vec<(FileId, Arc<str>)>) -> Vec<(FileId, FileItems)> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut parsed = Vec::new();
        while let Some((file, text)) = texts.get(next.fetch_add(1, Ordering::Relaxed)) {
            parsed.push((*file, FileItems::of(*file, Arc::clone(text))));
        }
        parsed
    };
    let bytes: usize = texts.iter().map(|(_, text)| text.len()).sum();
    let threads =
        std::thread::available_parallelism().map_or(1, NonZero::get).min(bytes / limits::PARSE_BYTES_A_THREAD);
    std::thread::scope(|scope| {
        let start = || std::thread::Builder::new().stack_size(limits::STACK_BYTES).spawn_scoped(scope, work);
        // Where the machine gives no further thread, this one does the work.
        let others: Vec<_> = (1..threads.min(texts.len())).map_while(|_| start().ok()).collect();
        let mut parsed = work();
        for other in others {
            parsed.extend(other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
        parsed
    })
}
