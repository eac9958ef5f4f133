//! Rows that came already, and whether further replies still bring new ones.

use wire::record::{Page, Row};

use super::show;
use std::collections::HashSet;

/// So many replies in a row that tell only what was told before are a provider that goes in circles.
const CIRCLES: u32 = 3;

/// What earlier replies told.
#[derive(Default)]
pub struct Known {
    rows: HashSet<String>,
    /// Replies without a new row, one behind the other.
    idle: u32,
    /// The row of another listing whose pages are read.
    within: Option<String>,
}

impl Known {
    /// Leaves out of a reply what an earlier one told: pages share their edges. Gives whether pages still lead on: replies
    /// without any row do, and so does whatever is asked for the next row of another listing, of which there are only so many.
    pub fn take(&mut self, page: &mut Page) -> bool {
        let told: Vec<String> = page.rows.iter().map(text).collect();
        let came = !page.rows.is_empty();
        page.rows.retain(|row| !self.rows.contains(&text(row)));
        self.rows.extend(told);
        let within = page.next.as_deref().and_then(row_of).map(str::to_owned);
        self.idle = match (came, page.rows.is_empty()) {
            _ if within != self.within => 0,
            (true, true) => self.idle + 1,
            (true, false) => 0,
            (false, _) => self.idle,
        };
        self.within = within;
        self.idle < CIRCLES
    }
}

fn text(row: &Row) -> String {
    serde_json::Value::from(show::object(row)).to_string()
}

/// Of a position within the pages of another listing's row: that row (docs/spec/connector.md, `each`).
fn row_of(position: &str) -> Option<&str> {
    position.strip_prefix("row:").map(|row| row.split_once(',').map_or(row, |(row, _)| row))
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::UnixMillis;
    use wire::balance::{Source, Status};
    use wire::record::Field;

    fn page(ids: &[&str], next: &str) -> Page {
        let row = |id: &&str| Row { fields: vec![Field { name: "id".into(), text: (*id).into() }] };
        Page {
            as_of: UnixMillis(1),
            rows: ids.iter().map(row).collect(),
            next: Some(next.to_owned()),
            source: Source { name: "deposits".into(), status: Status::Complete, fault: None },
            accounts: Vec::new(),
        }
    }

    /// Whether replies lead on, and how many of their rows are new.
    fn taken(known: &mut Known, ids: &[&str], next: &str) -> (bool, usize) {
        let mut page = page(ids, next);
        (known.take(&mut page), page.rows.len())
    }

    #[test]
    fn a_row_stands_once_however_many_pages_tell_it_and_twins_on_one_page_stay() {
        let mut known = Known::default();
        assert_eq!(taken(&mut known, &["a", "a", "b"], "page:1"), (true, 3));
        assert_eq!(taken(&mut known, &["b", "c"], "page:2"), (true, 1));
        assert_eq!(taken(&mut known, &["a", "d"], "page:3"), (true, 1));
    }

    #[test]
    fn cursors_that_lead_in_a_circle_end_after_a_few_replies() {
        let mut known = Known::default();
        let circle = [(&["a", "b"], "cursor:x"), (&["c", "d"], "cursor:y")];
        let leads_on: Vec<bool> =
            circle.iter().cycle().take(6).map(|(ids, next)| taken(&mut known, *ids, next).0).collect();
        assert_eq!(leads_on, [true, true, true, true, false, false]);
    }

    #[test]
    fn replies_without_rows_and_calls_for_further_rows_lead_on_however_many_there_are() {
        let mut known = Known::default();
        assert!(taken(&mut known, &["a"], "time:1").0);
        assert!((0..50).all(|at| taken(&mut known, &[], &format!("time:{at}")).0));
        let row = |at: u32| format!("row:{at:016x},page:1");
        assert!((0..50).all(|at| taken(&mut known, &["a"], &row(at)).0));
        assert!((0..50).any(|at| !taken(&mut known, &["a"], &format!("row:{:016x},page:{at}", 50)).0));
    }
}
