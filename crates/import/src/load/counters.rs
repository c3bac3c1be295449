//! Counters say what is there, whatever browsers had counted.

use std::collections::HashSet;

use passerelle_pg::ControlTransaction;

use crate::collect::{Collected, Fate};
use crate::database::{DatabaseError, texts};
use crate::table::Table;

const RATINGS: &str = "update public.resources r \
    set average_rating = stats.average, ratings_count = stats.total \
    from (select resource_id, round(avg(rating), 2) as average, count(*)::integer as total \
          from public.resource_ratings where resource_id = any($1::text[]::uuid[]) group by resource_id) stats \
    where r.id = stats.resource_id";
const COLLECTIONS: &str = "update public.collections c set resources_count = stats.total \
    from (select collection_id, count(*)::integer as total \
          from public.collection_resources where collection_id = any($1::text[]::uuid[]) group by collection_id) stats \
    where c.id = stats.collection_id";
/// The net score.
const VOTES: &str = "update public.category_tag_suggestions s set votes_count = stats.score \
    from (select suggestion_id, \
            sum(case vote_type when 'upvote' then 1 else -1 end)::integer as score \
          from public.suggestion_votes where suggestion_id = any($1::text[]::uuid[]) group by suggestion_id) stats \
    where s.id = stats.suggestion_id";

/// Counts again where rows have come. The counters of rows that are new are 0 until then.
pub(super) async fn recount(
    transaction: &ControlTransaction<'_>,
    all: &Collected,
) -> Result<(), DatabaseError> {
    for (table, number, question) in [
        (Table::ResourceRatings, 1, RATINGS),
        (Table::CollectionResources, 0, COLLECTIONS),
        (Table::SuggestionVotes, 0, VOTES),
    ] {
        let rows = all.rows.iter();
        let new = rows.filter(|row| row.table == table && row.fate == Fate::New);
        let touched: HashSet<_> = new.filter_map(|row| row.references[number]).collect();
        if !touched.is_empty() {
            let touched: Vec<_> = touched.into_iter().collect();
            transaction.execute(question, &[&texts(&touched)]).await?;
        }
    }
    Ok(())
}
