//! Every cap of the compiler and the runner: its unit, its reason, and what happens there.

/// Largest flow file, bytes. A longer one gets a diagnostic and is not parsed: nobody reviews more than that.
pub const FILE_BYTES_MAX: usize = 4 << 20;
/// Most files of one project. One more is a diagnostic: a loop of links, or the wrong folder.
pub const FILES_MAX: usize = 2_000;
/// Deepest folder below a project that is searched for flow files.
pub const FOLDER_DEPTH_MAX: usize = 16;
/// Deepest nesting of brackets in a declaration. Deeper text is not parsed: the parser descends on the native stack.
pub const NESTING_MAX: usize = 64;
/// Text that is worth a thread of its own to parse, bytes: a thread costs about what a kilobyte does.
pub const PARSE_BYTES_A_THREAD: usize = 16 << 10;
/// Most diagnostics that are printed for people; the rest is counted. Machines get all.
pub const DIAGNOSTICS_SHOWN_MAX: usize = 50;
/// Deepest chain of functions, parts, mappings, lookups and settings that need one another. Deeper is reported as a cycle
/// would be.
pub const INLINE_DEPTH_MAX: usize = 48;
/// Deepest nesting of values, those of the functions inlined around them included: they are walked on the native stack.
/// Deeper is a diagnostic.
pub const LEVELS_MAX: usize = 800;
/// Most functions and parts inlined into one declaration. More is a diagnostic: each call is a copy, and copies of copies
/// grow without bounds.
pub const INLINED_MAX: usize = 20_000;
/// Most text of the functions and parts inlined into one declaration, bytes: a bound on the work of compiling it and of
/// one record. More is a diagnostic.
pub const INLINED_BYTES_MAX: usize = 1 << 20;
/// Most products of which an amount is made while it is proved where amounts go. One of more is taken as a whole, of which
/// nothing is proved: so many branches are no shop's.
pub const MONEY_TERMS_MAX: usize = 512;
/// Rows of a lookup, the CSV file's included.
pub const LOOKUP_ROWS_MAX: usize = 100_000;

/// Pairs of rows of one lookup that are compared to see whether they overlap. More is a diagnostic: nobody would know
/// which of so many rows decides.
pub const ROW_PAIRS_MAX: usize = 5_000_000;

/// Largest record decoded, bytes. A longer one fails alone.
pub const RECORD_BYTES_MAX: usize = 8 << 20;
/// Deepest nesting of JSON that is walked through.
pub const JSON_DEPTH_MAX: usize = 96;
/// Longest text that an expression may build, bytes. A longer one fails the record.
pub const TEXT_BYTES_MAX: usize = 1 << 20;
/// Elements of one list. One more fails the record.
pub const LIST_MAX: usize = 20_000;
/// Rounds of finds for one record: each must depend on the one before.
pub const STAGES_MAX: usize = 32;

/// Largest answer read into memory, bytes, after decompression. A longer one ends the page with its address.
pub const BODY_BYTES_MAX: usize = 32 << 20;
/// Largest file that is moved, bytes: a picture of a product. A larger one is refused by name.
pub const MOVED_BYTES_MAX: usize = 16 << 20;
/// Bytes of files held in memory during a pass, from the look at them to their upload. What has no room is read once more.
pub const FILES_HELD_BYTES_MAX: usize = 64 << 20;
/// Attempts at one call that is safe to repeat. After the last the pass ends for that connection.
pub const ATTEMPTS_MAX: u32 = 6;
/// Rows of a feed held in memory at once: a page of the ledger's feeds. Where rows come out of order and are more, those
/// that changed last are left to the next page.
pub const PAGE_RECORDS_MAX: usize = 1_000;
/// Records of one flow that are acted on side by side: an API's calls a minute are few, so more would only wait.
pub const RECORDS_SIDE_BY_SIDE: usize = 4;
/// Changes that go out in one call, and so records that wait for it side by side. WooCommerce takes a hundred.
pub const BATCH_MAX: usize = 100;
/// Seconds of the API's clock after which a write without an answer can no longer take effect, counted from the moment
/// that it is handed to the connector: which waits for no turn then, only for a login that is being renewed.
pub const LATE_EFFECT_SECONDS: i64 = 300;
/// Seconds for which a found row is taken as it was. Then it is asked for again.
pub const FOUND_SECONDS: i64 = 600;
/// Bytes of found rows, with their index, that a pass remembers. Beyond, all is forgotten at the next page, and asked for
/// again.
pub const FOUND_BYTES_MAX: usize = 24 << 20;
/// Writes of a record that nobody answers, one after the other, after which it is parked.
pub const UNANSWERED_MAX: u32 = 5;
/// Tries of a waiting record that are made with each pass; then the pauses between them double.
pub const TRIES_AT_ONCE: u32 = 3;
/// First pause of a record that waits for what does not come, seconds of its source's clock.
pub const WAIT_SECONDS_MIN: i64 = 60;
/// Tries of a record that waits for what cannot be read, after which a person is needed: it has lasted an hour by then.
pub const UNREADABLE_MAX: u32 = 10;
/// Longest pause of a waiting record; one that seems to be due later stands on a clock that was set back.
pub const WAIT_SECONDS_MAX: i64 = 3_600;
/// Equal refusals in a row after which no more writes of their kind are sent in a pass: the API counts errors.
pub const EQUAL_REFUSALS_MAX: u32 = 3;
/// Seconds until a write of a kind that was stopped is tried again: the window in which the API counts errors.
pub const REFUSED_KIND_SECONDS: i64 = 3_600;
/// Real seconds that a pass waits at its end for writes without an outcome; with a real clock it never comes to that.
pub const OUTCOME_PATIENCE_SECONDS: u32 = 15;
/// Times that a write which a system has put off is sent in one pass.
pub const PUT_OFF_MAX: u32 = 10;
/// Days before the first of those that are compared, in which a document may have been made that is dated within them: an
/// invoice that is processed in the month behind its order, an order that somebody dated otherwise.
pub const BOOKS_BEFORE_DAYS: i64 = 35;
/// Turns of one flow in a pass: what a flow behind it has written is news for it. More come with the next pass.
pub const TURNS_MAX: usize = 3;
/// Links whose records a pass asks after where a system tells of no deletions; the next pass goes on behind them.
pub const ASKED_AFTER_MAX: usize = 1_000;
/// Records asked after of which so many may be gone before it is looked at whether it is the same system: of more than this,
/// no more than half.
pub const GONE_MAX: usize = 2;
/// Records that are read again by key in one scan: retries of parked and waiting ones.
pub const AGAIN_PAGE_MAX: usize = 50;
/// Times that one record is evaluated in a pass: rounds of finds, and what follows a write. More is a fault of ours.
pub const EVALUATIONS_MAX: usize = 3 * STAGES_MAX;

/// Days that payloads stay in the activity log unless a project says otherwise.
pub const LOG_DAYS: u32 = 14;

/// Rows that one question to the store answers. The rest comes with the next question: a page names where it ended.
pub const STORE_PAGE_MAX: usize = 1_000;
/// Rows that one question to the store looks at while it filters. Then it answers what it has, and where it stopped.
pub const STORE_SCAN_MAX: usize = 20_000;
/// Requests that wait for the store's writer. One more waits at the door.
pub const STORE_QUEUE_MAX: usize = 1_024;
/// Requests that one durable commit carries: more would only make the first of them wait.
pub const STORE_GROUP_MAX: usize = 256;
/// Intents without an outcome. One more is refused: so many unknown writes are an outage, and no more should be made.
pub const INTENTS_OPEN_MAX: usize = 10_000;
/// Rows that one commit of the clearing up removes, so that a write waits at most that long.
pub const EXPIRE_ROWS_MAX: usize = 2_000;
/// Seconds that one runner may hold the right to refresh a login, the call's time-out included.
pub const REFRESH_LEASE_SECONDS: i64 = 90;

/// Seconds until a connection must stand.
pub const CONNECT_SECONDS: u64 = 10;
/// Seconds until a call must be answered in full.
pub const CALL_SECONDS: u64 = 60;
/// Pages that one search may have. More are an error: the search was not narrow, or the system repeats itself.
pub const SEARCH_PAGES_MAX: usize = 2_000;
/// Longest that a call waits for its turn under an API's limits, or before a read is tried again, seconds of the API's
/// clock. A longer wait ends the pass.
pub const TURN_SECONDS_MAX: i64 = 120;
/// Least and most seconds that a system may ask us to wait, as far as it is obeyed: nothing would be a storm of calls, and
/// years a wrong header.
pub const RETRY_AFTER_SECONDS: (i64, i64) = (1, 86_400);
/// Seconds for which it is believed that a login is good, or lost, after a call has proved it: many refusals at once need
/// one proof.
pub const LOGIN_PROOF_SECONDS: i64 = 15;
/// Characters of what a system said that a message repeats.
pub const REASON_CHARS_MAX: usize = 600;

/// Stack of a thread that reads, checks or evaluates flows, bytes, as much as systems give the first one: what nests as
/// deep as the caps above allow needs less than half of it, and a thread that others start has less by itself.
pub const STACK_BYTES: usize = 8 << 20;

/// Tests and records that are named for one line which makes a difference, or for one reason. More are counted: nobody reads
/// thousands that differ alike.
pub const COMPARED_CASES_MAX: usize = 100;

const _: () = assert!(RECORD_BYTES_MAX <= BODY_BYTES_MAX, "a record that fits fits its answer");
