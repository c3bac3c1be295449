import type { PostgrestSingleResponse } from '@supabase/supabase-js';

/** Rows are as loosely typed as the application's; `from<Row>()` says more. */
type Any = any;
type Member<Result> = Result extends readonly (infer Row)[] ? Row : Result;
type Count = 'exact' | 'planned' | 'estimated';
type Referenced = { referencedTable?: string; foreignTable?: string };

/** What a query is answered with: `data` and `error`, of which one is null. */
export type LocalResponse<Result> = PostgrestSingleResponse<Result>;

/**
 * A query of supabase-js that also ends in `.execute()`.
 *
 * It is sent by `execute()` or by `await`, and not before. While it is under way, whoever asks again gets the same answer;
 * a write that succeeded is not sent a second time, unless the chain was changed in between.
 */
export interface LocalQuery<Result> extends PromiseLike<LocalResponse<Result>> {
  /** Sends the query, once. */
  execute(): Promise<LocalResponse<Result>>;

  /** `undefined` equals nothing: no row is found, changed or deleted. */
  eq(column: string, value: unknown): this;
  neq(column: string, value: unknown): this;
  gt(column: string, value: unknown): this;
  gte(column: string, value: unknown): this;
  lt(column: string, value: unknown): this;
  lte(column: string, value: unknown): this;
  is(column: string, value: boolean | null): this;
  isDistinct(column: string, value: unknown): this;
  in(column: string, values: readonly unknown[]): this;
  notIn(column: string, values: readonly unknown[]): this;
  like(column: string, pattern: string): this;
  likeAllOf(column: string, patterns: readonly string[]): this;
  likeAnyOf(column: string, patterns: readonly string[]): this;
  ilike(column: string, pattern: string): this;
  ilikeAllOf(column: string, patterns: readonly string[]): this;
  ilikeAnyOf(column: string, patterns: readonly string[]): this;
  regexMatch(column: string, pattern: string): this;
  regexIMatch(column: string, pattern: string): this;
  contains(column: string, value: string | readonly unknown[] | Record<string, unknown>): this;
  containedBy(column: string, value: string | readonly unknown[] | Record<string, unknown>): this;
  overlaps(column: string, value: string | readonly unknown[]): this;
  rangeGt(column: string, range: string): this;
  rangeGte(column: string, range: string): this;
  rangeLt(column: string, range: string): this;
  rangeLte(column: string, range: string): this;
  rangeAdjacent(column: string, range: string): this;
  textSearch(column: string, query: string, options?: { config?: string; type?: 'plain' | 'phrase' | 'websearch' }): this;
  /** As `eq` for each member; one that is `undefined` lets no row through. */
  match(values: Record<string, unknown>): this;
  not(column: string, operator: string, value: unknown): this;
  /** What a person typed goes in by `ilikeAny`. */
  or(filters: string, options?: Referenced): this;
  filter(column: string, operator: string, value: unknown): this;

  order(column: string, options?: Referenced & { ascending?: boolean; nullsFirst?: boolean }): this;
  limit(count: number, options?: Referenced): this;
  range(from: number, to: number, options?: Referenced): this;
  select<Row = Any>(columns?: string): LocalQuery<Row[]>;
  single<One = Member<Result>>(): LocalQuery<One>;
  maybeSingle<One = Member<Result>>(): LocalQuery<One | null>;
  csv(): LocalQuery<string>;
  geojson(): LocalQuery<Record<string, unknown>>;
  explain(options?: {
    analyze?: boolean;
    verbose?: boolean;
    settings?: boolean;
    buffers?: boolean;
    wal?: boolean;
    format?: 'json' | 'text';
  }): LocalQuery<Any>;
  returns<Other>(): LocalQuery<Other>;
  overrideTypes<Other>(): LocalQuery<Other>;

  abortSignal(signal: AbortSignal): this;
  maxAffected(rows: number): this;
  retry(enabled: boolean): this;
  rollback(): this;
  setHeader(name: string, value: string): this;
  stripNulls(): this;
  /** Has errors thrown, so that `data` is there whenever an answer is. */
  throwOnError(): this;
}

/** What can be done with a table. Nothing is sent before the end of the chain. */
export interface LocalTable<Row = Any> {
  select<Selected = Row>(columns?: string, options?: { head?: boolean; count?: Count }): LocalQuery<Selected[]>;
  insert(values: Partial<Row> | Partial<Row>[], options?: { count?: Count; defaultToNull?: boolean }): LocalQuery<null>;
  upsert(
    values: Partial<Row> | Partial<Row>[],
    options?: { onConflict?: string; ignoreDuplicates?: boolean; count?: Count; defaultToNull?: boolean },
  ): LocalQuery<null>;
  /** Changes the rows that the filters after it let through. Without any filter it is refused, and nothing is sent. */
  update(values: Partial<Row>, options?: { count?: Count }): LocalQuery<null>;
  /** Deletes the rows that the filters after it let through. Without any filter it is refused, and nothing is sent. */
  delete(options?: { count?: Count }): LocalQuery<null>;
}
