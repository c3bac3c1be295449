import { PostgrestError, type PostgrestFilterBuilder, type PostgrestQueryBuilder } from '@supabase/supabase-js';
import { arrayLiteral, quoted } from './filters.js';
import type { LocalQuery, LocalResponse, LocalTable } from './query.js';

type Any = any;
type Filters = PostgrestFilterBuilder<Any, Any, Any, Any>;

/** Parameters of a URL that let every row through; those of embedded tables, `profiles.limit`, do so, too. */
const NO_FILTER = /^(select|columns|order|limit|offset|on_conflict|[^">]+\..+)$/;

const define = (target: object, members: Record<string, unknown>): void => {
  for (const [name, value] of Object.entries(members)) Object.defineProperty(target, name, { value, configurable: true });
};

/**
 * Gives one builder `execute()`, and filters that are right for every value.
 *
 * Every method of a chain gives the builder it was called on, so this lasts to the chain's end. The builder's prototype
 * stays as it is: another supabase-js in the page has nothing of this.
 */
export function executable<Result>(builder: Filters): LocalQuery<Result> {
  const send = sendOnce(builder);
  define(builder, {
    execute: send,
    then: (...handlers: Parameters<Promise<Any>['then']>) => send().then(...handlers),
    ...filters(builder),
  });
  return builder as unknown as LocalQuery<Result>;
}

/** Gives the builder of one table verbs whose chains end in `execute()`. */
export function executableTable<Row>(table: PostgrestQueryBuilder<Any, Any, Any>): LocalTable<Row> {
  const verbs = ['select', 'insert', 'upsert', 'update', 'delete'] as const;
  for (const verb of verbs) {
    const start = table[verb].bind(table) as (...values: unknown[]) => Filters;
    define(table, { [verb]: (...values: unknown[]) => executable(start(...values)) });
  }
  return table as unknown as LocalTable<Row>;
}

function sendOnce(builder: Filters): () => Promise<LocalResponse<Any>> {
  const original = builder.then.bind(builder);
  let last: { request: string; answer: Promise<LocalResponse<Any>> } | null = null;
  return () => {
    if (last?.request === requestOf(builder)) return last.answer;
    if (touchesEverything(builder)) return refused(builder);
    const answer = Promise.resolve(original() as PromiseLike<LocalResponse<Any>>);
    // Sending sets the last headers, so that this is what a second call finds.
    const sent = { request: requestOf(builder), answer };
    last = sent;
    const forget = () => {
      if (last === sent) last = null;
    };
    answer.then(({ error }) => (error !== null || reads(builder)) && forget(), forget);
    return answer;
  };
}

const reads = (builder: Filters): boolean => ['GET', 'HEAD'].includes(builder['method']);

/** All that decides about the request, and about what is made of its answer. */
function requestOf(builder: Filters): string {
  const made = [builder['isMaybeSingle'], builder['shouldThrowOnError']];
  return JSON.stringify([builder['method'], builder['url'].href, [...builder['headers']], made]);
}

function touchesEverything(builder: Filters): boolean {
  if (!['PATCH', 'DELETE'].includes(builder['method'])) return false;
  return [...builder['url'].searchParams.keys()].every((name) => NO_FILTER.test(name));
}

function refused(builder: Filters): Promise<LocalResponse<Any>> {
  const verb = builder['method'] === 'DELETE' ? 'delete' : 'update';
  const error = new PostgrestError({
    message: `${verb}() without a filter was not sent: it would reach every row that this person may ${verb}.`,
    details: '',
    hint: "Add a filter, such as .eq('id', id); .not('id', 'is', null) means every row.",
    code: 'LOCAL_UNFILTERED',
  });
  if (builder['shouldThrowOnError']) return Promise.reject(error);
  return Promise.resolve({ success: false, data: null, error, count: null, status: 400, statusText: 'Bad Request' });
}

/** Filters for values that supabase-js writes into the URL as if they were something else. */
function filters(builder: Filters): Record<string, unknown> {
  const { eq, in: isIn, overlaps, contains, containedBy } = builder;
  const list = (filter: (column: string, value: Any) => unknown) => (column: string, value: unknown) => {
    const quotes = Array.isArray(value) && value.some((member) => typeof member === 'string' && /[,{}"\\\s]|^$|^null$/i.test(member));
    return filter.call(builder, column, quotes ? arrayLiteral(value) : value);
  };
  // No value is null and not null, whatever its type.
  const nothing = (column: string) => builder.is(column, null).not(column, 'is', null);
  const equal = (column: string, value: unknown) => (value === undefined ? nothing(column) : eq.call(builder, column, value as string));
  return {
    eq: equal,
    match(values: Record<string, unknown>) {
      for (const [column, value] of Object.entries(values)) equal(column, value);
      return builder;
    },
    in(column: string, given: Iterable<unknown> | undefined) {
      const values = [...new Set(given)];
      const quotes = values.some((value) => typeof value === 'string' && /["\\]/.test(value));
      if (!quotes) return isIn.call(builder, column, values as string[]);
      return builder.filter(column, 'in', `(${values.map((value) => quoted(String(value))).join(',')})`);
    },
    overlaps: list(overlaps),
    contains: list(contains),
    containedBy: list(containedBy),
  };
}
