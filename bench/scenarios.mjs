// What is measured. Each scenario asks the gateway with wrk, and PostgreSQL with the same SQL through pgbench.
//
// `script` is a file in pgbench/, whose SQL is what PostgreSQL's log shows of the gateway's request. `rows` is how many
// rows a request reads or writes, where that is the figure of interest. `connections` is that of wrk, if not the usual.

export const USER = '0a5ff2a4-5b35-4c3c-9c19-0d1a1c6c2f11';

const PAGE = '/rest/v1/items?select=id,title,score,created_at';
const note = (n) => ({ owner_id: USER, body: `Note ${n}, as long as short notes are.` });
const notes = (count) => JSON.stringify(Array.from({ length: count }, (_, n) => note(n)));

export const BULK = { rows: 10_000, body: notes(10_000) };

const get = (path) => ({ method: 'GET', path, headers: { 'Accept-Profile': 'public' } });
const send = (method, path, body, headers = {}) => ({
  method, path, body, headers: { 'Content-Profile': 'public', 'Content-Type': 'application/json', ...headers },
});

export const scenarios = [
  { name: 'primary-key read', ...get('/rest/v1/items?select=*&id=eq.:id'), script: 'pk.sql' },
  { name: 'primary-key read, two roles', ...get('/rest/v1/items?select=*&id=eq.:id'), script: 'pk.sql', tokens: ['user', 'anon'] },
  { name: '25-row page', ...get(`${PAGE}&order=created_at.desc&limit=25`), script: 'page.sql', rows: 25 },
  { name: '1,000-row page', ...get(`${PAGE}&order=id.asc&limit=1000`), script: 'page-1000.sql', rows: 1000 },
  { name: 'two-level embed, 25 rows', ...get('/rest/v1/items?select=id,title,authors(name,teams(name))&order=id.asc&limit=25'), script: 'embed.sql', rows: 25 },
  { name: 'insert', ...send('POST', '/rest/v1/notes', JSON.stringify(note(1))), script: 'insert.sql' },
  { name: 'bulk insert, 100 rows', ...send('POST', '/rest/v1/notes', notes(100)), script: 'bulk.sql', rows: 100 },
  { name: 'bulk insert, 10,000 rows', ...send('POST', '/rest/v1/notes', BULK.body), script: 'bulk-10000.sql', rows: BULK.rows },
  { name: 'update by key', ...send('PATCH', '/rest/v1/counters?id=eq.:id', '{"value":1}'), script: 'patch.sql' },
  { name: 'upsert', ...send('POST', '/rest/v1/counters?on_conflict=id', '{"id"::id,"value":1}', { Prefer: 'resolution=merge-duplicates' }), script: 'upsert.sql' },
  { name: 'function, POST', ...send('POST', '/rest/v1/rpc/add_up', '{"a":1,"b":2}'), script: 'rpc-post.sql' },
  { name: 'function, GET', ...get('/rest/v1/rpc/add_up?a=1&b=2'), script: 'rpc-get.sql' },
  // An export of 21 MB; more at a time would measure memory bandwidth.
  { name: 'CSV, 100,000 rows', ...get('/rest/v1/items?select=*'), accept: 'text/csv', script: 'csv.sql', tokens: ['service'], rows: 100_000, connections: 2 },
];
