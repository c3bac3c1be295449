//! The report on a terminal.

use std::fmt;

use super::{Report, RowName};

/// How many rows of each list are shown.
const SHOWN: usize = 20;

/// The report as text: every count, and of each list the first.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for file in &self.files {
            let kilobytes = file.bytes.div_ceil(1024);
            writeln!(f, "{}: {} of {kilobytes} KB", safe(&file.file), file.shape)?;
        }
        writeln!(
            f,
            "\n{:26}{:>9}{:>10}{:>10}{:>9}{:>10}{:>8}",
            "", "read", "imported", "existing", "merged", "kept out", "added"
        )?;
        for name in &self.order {
            let counts = self.counts(name);
            if counts.read + counts.added > 0 {
                writeln!(
                    f,
                    "{:26}{:>9}{:>10}{:>10}{:>9}{:>10}{:>8}",
                    safe(name),
                    counts.read,
                    counts.imported,
                    counts.existing,
                    counts.merged,
                    counts.kept_out,
                    counts.added
                )?;
            }
        }
        writeln!(f)?;
        let people = &self.people;
        names(f, "New, with the password they had", &people.with_password)?;
        names(
            f,
            "New, and have to set a password",
            &people.without_password,
        )?;
        names(f, "There before, and left as they were", &people.existing)?;
        names(f, "New administrators", &people.administrators)?;
        let kept_out = self
            .kept_out
            .iter()
            .map(|row| (&row.row, row.reason.as_str()));
        list(f, "Kept out", kept_out)?;
        let merged = self.merged.iter().map(|row| (&row.row, row.why.as_str()));
        list(f, "Merged", merged)?;
        let mended = self.mended.iter().map(|row| (&row.row, row.why.as_str()));
        list(f, "Mended", mended)?;
        if !self.left_out.is_empty() {
            writeln!(f, "\nLeft in the files ({}):", self.left_out_keys)?;
            for left in self.left_out.iter().take(SHOWN) {
                writeln!(
                    f,
                    "  {}  {}: {}",
                    safe(&left.file),
                    safe(&left.key),
                    left.why
                )?;
            }
            more(f, self.left_out.len())?;
        }
        Ok(())
    }
}

fn names(f: &mut fmt::Formatter<'_>, title: &str, names: &[String]) -> fmt::Result {
    if names.is_empty() {
        return Ok(());
    }
    let shown: Vec<String> = names.iter().take(SHOWN).map(|name| safe(name)).collect();
    let dots = if names.len() > SHOWN { ", …" } else { "" };
    writeln!(f, "{title} ({}): {}{dots}", names.len(), shown.join(", "))
}

fn list<'a>(
    f: &mut fmt::Formatter<'_>,
    title: &str,
    rows: impl ExactSizeIterator<Item = (&'a RowName, &'a str)>,
) -> fmt::Result {
    let count = rows.len();
    if count == 0 {
        return Ok(());
    }
    writeln!(f, "\n{title} ({count}):")?;
    for (row, why) in rows.take(SHOWN) {
        let place = format!("{}  {}[{}]", row.file, row.table, row.row);
        let id = if row.id.is_empty() {
            String::new()
        } else {
            format!(" {}", row.id)
        };
        writeln!(f, "  {}: {}", safe(&format!("{place}{id}")), safe(why))?;
    }
    more(f, count)
}

fn more(f: &mut fmt::Formatter<'_>, count: usize) -> fmt::Result {
    if count > SHOWN {
        let rest = count - SHOWN;
        writeln!(f, "  … and {rest} more; --report FILE has all of them")?;
    }
    Ok(())
}

/// Text of others cannot move the cursor, colour the terminal or turn lines around.
fn safe(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        let turns = matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if c.is_control() || turns {
            safe.extend(c.escape_unicode());
        } else {
            safe.push(c);
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::safe;

    #[test]
    fn text_of_others_is_only_text() {
        assert_eq!(safe("Zoé <b>"), "Zoé <b>");
        assert_eq!(safe("a\u{1b}[2Jb\n"), "a\\u{1b}[2Jb\\u{a}");
        assert_eq!(safe("a\u{202e}b"), "a\\u{202e}b");
    }
}
