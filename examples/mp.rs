use std::io::{BufRead, Write};
fn main() {
    let a: Vec<String> = std::env::args().collect();
    let c = flowc::check::check_project(&flowc::source::Disk, std::path::Path::new(&a[1]), &[]);
    let compiled = flowc::eval::Compiled::new(std::sync::Arc::new(c.program));
    let id = compiled.mapping(&a[2]).expect("mapping");
    let mut m = flowc::eval::Mapper::new(&compiled, id).unwrap();
    let known = flowc::eval::Given::empty(jiff::Timestamp::now());
    let mut out = Vec::new();
    let stdin = std::io::stdin();
    let mut n = 0;
    let mut bad = 0;
    let t = std::time::Instant::now();
    let mut so = std::io::stdout().lock();
    for line in stdin.lock().lines() {
        let l = line.unwrap();
        n += 1;
        match m.map(&l, &known, &mut out) {
            Ok(_) => {}
            Err((_, f)) => {
                bad += 1;
                if bad < 8 {
                    eprintln!("{} {:?} {:?} @{}", f.reason, f.value, f.field, c.sources.place(f.place))
                }
            }
        }
        if out.len() > 1 << 16 {
            so.write_all(&out).unwrap();
            out.clear();
        }
    }
    so.write_all(&out).unwrap();
    eprintln!("{n} records {bad} failed {:?}", t.elapsed());
}
