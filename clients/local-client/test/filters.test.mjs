// Conditions made of what a person types.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { arrayLiteral, ilikeAny } from '../dist/index.js';

test('a word in several columns', () => {
  assert.equal(ilikeAny(['title', 'description'], 'vélo'), 'title.ilike."%vélo%",description.ilike."%vélo%"');
});

test('several words in several columns', () => {
  assert.equal(ilikeAny(['a', 'b'], ['x', 'y']), 'a.ilike."%x%",b.ilike."%x%",a.ilike."%y%",b.ilike."%y%"');
});

test('what ends a value, a list or a pattern is escaped', () => {
  assert.equal(ilikeAny(['a'], 'x,id.not.is.null)'), 'a.ilike."%x,id.not.is.null)%"');
  assert.equal(ilikeAny(['a'], '"'), 'a.ilike."%\\"%"');
  assert.equal(ilikeAny(['a'], '50%_'), 'a.ilike."%50\\\\%\\\\_%"');
  assert.equal(ilikeAny(['a'], '\\'), 'a.ilike."%\\\\\\\\%"');
  assert.equal(ilikeAny(['a'], 'a*b'), 'a.ilike."%a_b%"');
});

test('arrays keep their members apart', () => {
  assert.equal(arrayLiteral(['a', 'b,c', 'say "hi"', '{}', '', null, 3]), '{"a","b,c","say \\"hi\\"","{}","",NULL,"3"}');
});
