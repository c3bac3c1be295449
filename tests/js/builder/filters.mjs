// Every filter, by the rows that it leaves.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { client, sent } from './recorder.mjs';

const peaks = () => client.from('peaks').select('id').order('id');

/** The filter leaves these peaks, and sends this in the URL. */
function leaves(name, narrow, ids, query) {
  test(`${name} leaves ${ids.length ? ids.join(', ') : 'nothing'}`, async () => {
    const { data, error, status } = await narrow(peaks());
    assert.equal(error, null);
    assert.equal(status, 200);
    assert.deepEqual(data.map((row) => row.id), ids);
    if (query) assert.ok(decodeURIComponent(sent.at(-1).url.search.replaceAll('+', ' ')).includes(query), sent.at(-1).url.search);
  });
}

leaves('eq', (q) => q.eq('id', 3), [3], 'id=eq.3');
leaves('eq of a boolean', (q) => q.eq('open', true), [1, 2]);
leaves('eq of reserved characters', (q) => q.eq('name', 'a, (b) "c"'), [5]);
leaves('eq of JSON', (q) => q.eq('facts->>rock', 'granite'), [1, 3]);
leaves('neq', (q) => q.neq('id', 3), [1, 2, 4, 5], 'id=neq.3');
leaves('gt', (q) => q.gt('height', 3404), [1, 2], 'height=gt.3404');
leaves('gte', (q) => q.gte('height', 3404), [1, 2, 3], 'height=gte.3404');
leaves('lt', (q) => q.lt('height', 3404), [4], 'height=lt.3404');
leaves('lte', (q) => q.lte('height', 3404), [3, 4], 'height=lte.3404');
leaves('like', (q) => q.like('name', 'M%'), [1, 2], 'name=like.M%');
leaves('like with stars', (q) => q.like('name', '*e*'), [2, 3, 4]);
leaves('likeAllOf', (q) => q.likeAllOf('name', ['%e%', '%t%']), [2, 3], 'like(all).{');
leaves('likeAnyOf', (q) => q.likeAnyOf('name', ['Mont%', 'An%']), [1, 3], 'like(any).{');
leaves('ilike', (q) => q.ilike('name', 'm%'), [1, 2], 'name=ilike.m%');
leaves('ilikeAllOf', (q) => q.ilikeAllOf('name', ['M%', '%N']), [2], 'ilike(all).{');
leaves('ilikeAnyOf', (q) => q.ilikeAnyOf('name', ['mont%', 'an%']), [1, 3], 'ilike(any).{');
leaves('regexMatch', (q) => q.regexMatch('name', '^M.*n$'), [2], 'name=match.');
leaves('regexMatch minds its case', (q) => q.regexMatch('name', '^m'), []);
leaves('regexIMatch', (q) => q.regexIMatch('name', '^m'), [1, 2], 'name=imatch.');
leaves('is null', (q) => q.is('height', null), [5], 'height=is.null');
leaves('is true', (q) => q.is('open', true), [1, 2], 'open=is.true');
leaves('is false', (q) => q.is('open', false), [3], 'open=is.false');
leaves('isDistinct', (q) => q.isDistinct('open', true), [3, 4, 5], 'open=isdistinct.true');
leaves('in', (q) => q.in('id', [1, 3, 9]), [1, 3], 'id=in.(1,3,9)');
leaves('in of reserved characters', (q) => q.in('name', ['Aneto', 'Mont Blanc']), [1, 3]);
leaves('in of nothing', (q) => q.in('id', []), [], 'id=in.()');
leaves('notIn', (q) => q.notIn('id', [1, 3]), [2, 4, 5], 'id=not.in.(1,3)');
leaves('contains an array', (q) => q.contains('tags', ['snow']), [1, 3], 'tags=cs.{snow}');
leaves('contains JSON', (q) => q.contains('facts', { rock: 'granite' }), [1, 3], 'facts=cs.{"rock":"granite"}');
leaves('contains a range', (q) => q.contains('season', '[7,8)'), [1, 2, 3], 'season=cs.[7,8)');
leaves('containedBy an array', (q) => q.containedBy('tags', ['snow', 'classic']), [1, 2, 3, 4], 'tags=cd.{');
leaves('containedBy JSON', (q) => q.containedBy('facts', { rock: 'granite', huts: 5, more: 1 }), [1, 3]);
leaves('containedBy a range', (q) => q.containedBy('season', '[5,10)'), [1, 2, 3], 'season=cd.[5,10)');
leaves('rangeGt', (q) => q.rangeGt('season', '[1,5)'), [1, 2, 3], 'season=sr.[1,5)');
leaves('rangeGte', (q) => q.rangeGte('season', '[6,8)'), [2, 3], 'season=nxl.[6,8)');
leaves('rangeLt', (q) => q.rangeLt('season', '[5,9)'), [4], 'season=sl.[5,9)');
leaves('rangeLte', (q) => q.rangeLte('season', '[1,9)'), [2, 4], 'season=nxr.[1,9)');
leaves('rangeAdjacent', (q) => q.rangeAdjacent('season', '[3,5)'), [1, 4], 'season=adj.[3,5)');
leaves('overlaps of a range', (q) => q.overlaps('season', '[5,7)'), [1, 3], 'season=ov.[5,7)');
leaves('overlaps of an array', (q) => q.overlaps('tags', ['snow', 'family']), [1, 3, 5], 'tags=ov.{');
leaves('textSearch', (q) => q.textSearch('story', 'glacier & ridge', { config: 'english' }), [1], 'story=fts(english).');
leaves('textSearch without a configuration', (q) => q.textSearch('story', 'glacier'), [1, 3], 'story=fts.glacier');
leaves('textSearch, plain', (q) => q.textSearch('story', 'long ridges', { type: 'plain', config: 'english' }), [1], 'story=plfts(english).');
leaves('textSearch, phrase', (q) => q.textSearch('story', 'steep ridge', { type: 'phrase', config: 'english' }), [2], 'story=phfts(english).');
leaves('textSearch, web', (q) => q.textSearch('story', 'ridge -glacier', { type: 'websearch', config: 'english' }), [2], 'story=wfts(english).');
leaves('match', (q) => q.match({ massif_id: 1, open: true, name: undefined }), [1, 2]);
leaves('not', (q) => q.not('height', 'is', null), [1, 2, 3, 4], 'height=not.is.null');
leaves('not of a list', (q) => q.not('id', 'in', '(1,2)'), [3, 4, 5]);
leaves('or', (q) => q.or('id.eq.1,name.eq.Aneto'), [1, 3], 'or=(id.eq.1,name.eq.Aneto)');
leaves('or with and in it', (q) => q.or('id.eq.5,and(height.gt.3000,open.is.false)'), [3, 5]);
leaves('filter', (q) => q.filter('height', 'gte', 4478), [1, 2], 'height=gte.4478');
leaves('filter that negates', (q) => q.filter('id', 'not.in', '(1,2,3)'), [4, 5]);
leaves('several filters', (q) => q.gt('id', 1).lt('id', 5).is('open', false), [3]);

test('filters of an embed', async () => {
  const { data, error } = await client.from('massifs').select('name,peaks(id)').eq('peaks.open', true).order('id');
  assert.equal(error, null);
  assert.deepEqual(data, [
    { name: 'Alps', peaks: [{ id: 1 }, { id: 2 }] },
    { name: 'Pyrenees', peaks: [] },
    { name: 'Jura', peaks: [] },
  ]);
});

test('or of an embed', async () => {
  const { data, error } = await client.from('massifs').select('name,peaks!inner(id)').or('id.eq.2,id.eq.4', { referencedTable: 'peaks' }).order('id');
  assert.equal(error, null);
  assert.deepEqual(data, [
    { name: 'Alps', peaks: [{ id: 2 }] },
    { name: 'Pyrenees', peaks: [{ id: 4 }] },
  ]);
});

test('a filter that PostgreSQL refuses is an error and no exception', async () => {
  const { data, error, status } = await peaks().eq('id', 'one');
  assert.equal(data, null);
  assert.equal(status, 400);
  assert.equal(error.code, '22P02');
});
