//! Finds the name that a caller may have meant.
//!
//! Follows the `FuzzySet` algorithm, so that hints are the ones that PostgREST gives: candidates
//! that share groups of three characters (or, failing these, of two) are ranked by cosine
//! similarity; the best fifty are ranked again by normalised Levenshtein distance. Nothing is
//! kept between calls, since errors are rare and memory is not.

use std::collections::HashMap;

/// Candidates that are compared letter by letter.
const FINALISTS: usize = 50;

/// Characters of a query beyond which nothing can be similar to it.
const MAX_QUERY: usize = 1_000;

/// The best candidate and its score from 0 to 1, when it scores `min_score` at least.
pub(crate) fn best<'a>(
    candidates: &[&'a str],
    query: &str,
    min_score: f64,
) -> Option<(f64, &'a str)> {
    if query.chars().nth(MAX_QUERY).is_some() {
        return None;
    }
    let query: Vec<char> = query.to_lowercase().chars().collect();
    let candidates: Vec<(Vec<char>, &str)> = candidates
        .iter()
        .map(|candidate| (candidate.to_lowercase().chars().collect(), *candidate))
        .collect();
    if let Some((_, exact)) = candidates.iter().find(|(lower, _)| *lower == query) {
        return Some((1.0, exact));
    }
    [3, 2]
        .into_iter()
        .find_map(|size| best_by_grams(&candidates, &query, min_score, size))
}

fn best_by_grams<'a>(
    candidates: &[(Vec<char>, &'a str)],
    query: &[char],
    min_score: f64,
    size: usize,
) -> Option<(f64, &'a str)> {
    let padded = padded(query);
    let wanted = grams(&padded, size);
    let mut sharing: Vec<(f64, usize)> = candidates
        .iter()
        .enumerate()
        .filter_map(|(index, (candidate, _))| {
            let padded = self::padded(candidate);
            let own = grams(&padded, size);
            let shared: u32 = own
                .iter()
                .filter_map(|(gram, count)| wanted.get(gram).map(|other| other * count))
                .sum();
            // The query's own magnitude is the same for all and does not change the order.
            (shared > 0).then(|| (f64::from(shared) / magnitude(&own), index))
        })
        .collect();
    sharing.sort_by(|left, right| right.0.total_cmp(&left.0));
    let mut best: Option<(f64, &'a str)> = None;
    for (candidate, name) in sharing
        .iter()
        .take(FINALISTS)
        .filter_map(|&(_, index)| candidates.get(index))
    {
        let score = similarity(query, candidate);
        if score >= min_score && best.is_none_or(|(top, _)| score > top) {
            best = Some((score, name));
        }
    }
    best
}

/// Letters, digits, spaces and commas between hyphens.
fn padded(text: &[char]) -> Vec<char> {
    let mut padded = Vec::with_capacity(text.len() + 2);
    padded.push('-');
    padded.extend(
        text.iter()
            .filter(|&&c| c.is_alphanumeric() || c.is_whitespace() || c == ','),
    );
    padded.push('-');
    padded
}

fn grams(padded: &[char], size: usize) -> HashMap<&[char], u32> {
    let mut grams = HashMap::with_capacity(padded.len());
    for gram in padded.windows(size) {
        *grams.entry(gram).or_insert(0) += 1;
    }
    grams
}

fn magnitude(grams: &HashMap<&[char], u32>) -> f64 {
    f64::from(grams.values().map(|count| count * count).sum::<u32>()).sqrt()
}

/// One minus the Levenshtein distance in proportion to the longer text.
fn similarity(left: &[char], right: &[char]) -> f64 {
    let longest = left.len().max(right.len());
    if longest == 0 {
        return 1.0;
    }
    1.0 - as_f64(distance(left, right)) / as_f64(longest)
}

fn as_f64(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

fn distance(left: &[char], right: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, a) in left.iter().enumerate() {
        let mut diagonal = i;
        let mut previous = i + 1;
        for (cell, b) in row.iter_mut().skip(1).zip(right) {
            let substituted = diagonal + usize::from(a != b);
            diagonal = *cell;
            previous = substituted.min(previous + 1).min(*cell + 1);
            *cell = previous;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distance_counts_edits() {
        let chars = |text: &str| text.chars().collect::<Vec<_>>();
        assert_eq!(distance(&chars("kitten"), &chars("sitting")), 3);
        assert_eq!(distance(&chars(""), &chars("abc")), 3);
        assert_eq!(distance(&chars("abc"), &chars("abc")), 0);
    }

    #[test]
    fn exact_match_ignores_case() {
        assert_eq!(best(&["Films"], "films", 0.33), Some((1.0, "Films")));
    }

    #[test]
    fn nearest_wins() {
        let names = ["directors", "roles", "actors"];
        assert_eq!(
            best(&names, "role", 0.33).map(|found| found.1),
            Some("roles")
        );
        assert_eq!(best(&names, "noclosealternative", 0.33), None);
    }

    #[test]
    fn a_long_query_is_like_nothing() {
        assert_eq!(best(&["films"], &"f".repeat(5_000), 0.0), None);
    }
}
