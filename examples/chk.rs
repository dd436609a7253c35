fn main() {
    let a: Vec<std::path::PathBuf> = std::env::args().skip(1).map(Into::into).collect();
    let t = std::time::Instant::now();
    let c = if a.len() == 1 && a[0].is_dir() {
        flowc::check::check_project(&flowc::source::Disk, &a[0], &[])
    } else {
        flowc::check::check_files(&flowc::source::Disk, &a)
    };
    for d in &c.diagnostics {
        let p = c.sources.position(d.span);
        println!(
            "{}:{}:{} {} {} | {}",
            c.sources.get(d.span.file).path.display(),
            p.line,
            p.column,
            d.code.id,
            d.message,
            d.help.as_deref().unwrap_or("")
        );
    }
    println!(
        "{} diagnostics, {} entities {} mappings {} flows {:?}",
        c.diagnostics.len(),
        c.program.entities.len(),
        c.program.mappings.len(),
        c.program.flows.len(),
        t.elapsed()
    );
}
