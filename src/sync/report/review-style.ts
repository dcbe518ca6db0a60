// How the review page looks: filters by state without scripts, two columns that become one on a phone.
import { states } from '../scan/scan-result.ts';

const views = ['plan', ...states, 'courtesy'];

export const reviewStyle = `
:root { --ink: #1b1f24; --paper: #fff; --soft: #f3f4f6; --line: #d0d5dc; --dim: #5b6470; --less: #ffebe9; --more: #e6ffec; --odd: #fff3bf; --odd-edge: #d9a400; --link: #0b57d0 }
@media (prefers-color-scheme: dark) { :root { --ink: #dfe3e8; --paper: #14171b; --soft: #1f242a; --line: #39414b; --dim: #9aa4b0; --less: #43211f; --more: #17351f; --odd: #4a3d0c; --odd-edge: #d9a400; --link: #8ab4f8 } }
* { box-sizing: border-box }
body { font: 15px/1.5 system-ui, sans-serif; margin: 0 auto; padding: 1rem; max-width: 90rem; color: var(--ink); background: var(--paper) }
h1 { font-size: 1.4rem; margin: 0 } h2 { font-size: 1.15rem } h3 { font-size: 1rem; margin: 1.4rem 0 .4rem } h4 { font: 600 .85rem/1.4 ui-monospace, monospace; margin: .9rem 0 .3rem; overflow-wrap: anywhere }
code, pre { font: 12.5px/1.45 ui-monospace, monospace } .tips, .why, .meta { color: var(--dim); font-size: .87rem; overflow-wrap: anywhere }
.note { border-left: 3px solid var(--odd-edge); padding-left: .6rem }
input[type=radio] { position: absolute; opacity: 0 }
label { display: inline-block; padding: .25rem .7rem; margin: .15rem .1rem; border: 1px solid var(--line); border-radius: 1rem; cursor: pointer; font-size: .9rem }
input:checked + label { background: var(--ink); color: var(--paper); border-color: var(--ink) } input:focus-visible + label { outline: 2px solid var(--link) }
main { border-top: 1px solid var(--line); margin-top: .6rem; padding-top: .4rem } section { display: none }
${views.map((view) => `#v-${view}:checked ~ main section.v-${view}`).join(', ')} { display: block }
main > input + label { display: none } ${`#v-plan:checked ~ main > input + label`} { display: inline-block }
#s-clean:checked ~ section .pick:not(.clean), #s-review:checked ~ section .pick:not(.review), #s-parked:checked ~ section .pick:not(.parked) { display: none }
details { border: 1px solid var(--line); border-radius: .5rem; margin: .4rem 0; padding: 0 .7rem } details[open] { padding-bottom: .7rem }
summary { cursor: pointer; padding: .45rem 0; overflow-wrap: anywhere } ul { padding-left: 1.2rem } ul.commits { list-style: none; padding: 0 } ul.commits li { padding: .2rem 0; border-bottom: 1px solid var(--soft); overflow-wrap: anywhere }
.badge { font-size: .75rem; padding: .1rem .5rem; border-radius: 1rem; background: var(--soft) } .badge.clean, .equal { background: var(--more) } .badge.review, .differs { background: var(--odd) } .badge.parked { background: var(--less) }
.equal, .differs { font-size: .78rem; padding: .1rem .5rem; border-radius: 1rem; white-space: nowrap }
.diff { border: 1px solid var(--line); border-radius: .4rem; overflow: hidden } .row { display: grid; grid-template-columns: 1fr 1fr }
.row > * { margin: 0; padding: 0 .5rem; white-space: pre-wrap; overflow-wrap: anywhere; min-width: 0; border-left: 3px solid transparent } .row > * + * { border-left-color: var(--line) }
.row.head { background: var(--soft); font-size: .78rem; color: var(--dim) } .gap { text-align: center; color: var(--dim); background: var(--soft); line-height: 1.1 }
.less { background: var(--less) } .more { background: var(--more) } .around, .row.context { color: var(--dim) } .none { background: var(--soft) }
.row.odd pre:not(.none) { background: var(--odd); border-left-color: var(--odd-edge); font-weight: 600 }
@media (max-width: 45rem) { body { padding: .7rem } .row { grid-template-columns: 1fr } .row.same .left, .row .none, .row.head { display: none } .row > * + * { border-left-color: transparent }
.row.odd .left::before { content: "upstream "; color: var(--dim) } .row.odd .right::before { content: "pick "; color: var(--dim) }
.row.sides .left::before { content: "the fork: "; color: var(--dim) } .row.sides .right::before { content: "upstream: "; color: var(--dim) } }
@media print { section { display: block } input, label { display: none } }
`;
