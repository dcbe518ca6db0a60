// The commands that talk to a forge, in one place, so that they are loaded together and only when one is wanted.
export { runCheckoutPullRequest } from './run-checkout-pull-request.ts';
export { runComment } from './run-comment.ts';
export { runNightly } from './run-nightly.ts';
