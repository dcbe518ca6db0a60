import { describe, expect, it } from 'vitest';
import { openJudge } from './openapi.ts';

const create = 'POST /repos/{owner}/{repo}/issues';
const list = 'GET /repos/{owner}/{repo}/issues';
const path = { owner: 'mine', repo: 'onyx' };
const request = (body: unknown, query = '') => ({ path, query: new URLSearchParams(query), body });

describe('the judge of requests and answers', () => {
  it('lets through what GitHub describes', () => {
    expect(openJudge().request(create, request({ title: 'a', labels: ['b'] }))).toEqual([]);
    expect(openJudge().request(list, request(undefined, 'creator=me&state=all&per_page=100'))).toEqual([]);
    expect(openJudge().response(list, 200, [])).toEqual([]);
  });

  it.each([
    ['a body without what is required', create, request({ body: 'a' })],
    ['a key that is not known', create, request({ title: 'a', titel: 'b' })],
    ['a wrong type', create, request({ title: 'a', labels: 'b' })],
    ['no body where one is needed', create, request(undefined)],
    ['a parameter that is not known', list, request(undefined, 'author=me')],
    ['a value that is not among the known ones', list, request(undefined, 'state=opened')],
    ['a body where none belongs', list, request({ a: 1 })],
  ])('finds %s', (_, route, bad) => {
    expect(openJudge().request(route, bad)).not.toEqual([]);
  });

  it('finds answers that GitHub would not give', () => {
    expect(openJudge().response(list, 200, [{ id: 1 }])).not.toEqual([]);
    expect(openJudge().response(list, 201, [])).toEqual([`${list}: GitHub never answers 201 here`]);
    expect(openJudge().response(list, 401, { message: 'Bad credentials' })).toEqual([]);
    expect(openJudge().response(list, 401, { message: 1 })).not.toEqual([]);
    expect(openJudge().response(list, 401, {})).not.toEqual([]);
    expect(openJudge().response(list, 502, '<html>')).toEqual([]);
    expect(() => openJudge().response('GET /nowhere', 200, {})).toThrow('has no GET /nowhere');
  });
});
