//! Which rows a reply holds, out of how many.

use std::fmt::Write as _;

use actix_web::http::StatusCode;

/// 200, or with a total: 206 for a part of the rows, 416 for a place behind them.
pub(super) fn status(offset: u64, rows: u64, total: Option<u64>) -> StatusCode {
    match total {
        Some(total) if offset > total => StatusCode::RANGE_NOT_SATISFIABLE,
        Some(total) if rows < total => StatusCode::PARTIAL_CONTENT,
        _ => StatusCode::OK,
    }
}

/// `first-last/total`, with a star for a range without rows and for a total that is not known.
pub(super) fn value(offset: u64, rows: u64, total: Option<u64>) -> String {
    let mut out = String::with_capacity(24);
    // Writing to a string cannot fail.
    let _ = match offset.saturating_add(rows).checked_sub(1) {
        Some(last) if rows > 0 && total != Some(0) => write!(out, "{offset}-{last}/"),
        _ => write!(out, "*/"),
    };
    let _ = match total {
        Some(total) => write!(out, "{total}"),
        None => write!(out, "*"),
    };
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values() {
        for (offset, rows, total, expected) in [
            (0, 15, None, "0-14/*"),
            (5, 10, Some(15), "5-14/15"),
            (0, 0, None, "*/*"),
            (0, 0, Some(0), "*/0"),
            (20, 0, Some(15), "*/15"),
            (0, 1, Some(0), "*/0"),
        ] {
            assert_eq!(value(offset, rows, total), expected);
        }
    }

    #[test]
    fn statuses() {
        for (offset, rows, total, expected) in [
            (0, 15, None, 200),
            (0, 15, Some(15), 200),
            (0, 10, Some(15), 206),
            (15, 0, Some(15), 206),
            (16, 0, Some(15), 416),
            (0, 0, Some(0), 200),
        ] {
            assert_eq!(status(offset, rows, total).as_u16(), expected);
        }
    }
}
