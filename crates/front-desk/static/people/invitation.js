// `/invite`: somebody who was invited comes in.
import { fragment, post } from './api.js';
import { card, field, form, make, page, start } from './dom.js';
import { enrolSecondFactor } from './second-factor.js';
import { say } from './texts.js';

const token = fragment().get('token');
const done = () => location.assign('/account');
let again = token?.startsWith('inv_') ? accept : () => page(say('invitation'), card(make('p', {}, say('link_incomplete'))));

function accept() {
  const fields = {
    name: field(say('name'), { autocomplete: 'name', maxLength: 120 }),
    password: field(say('new_password'), { type: 'password', autocomplete: 'new-password', minLength: 12 }, say('password_hint')),
  };
  page(
    say('invitation'),
    make('p', {}, say('invitation_why')),
    card(form(say('go_on'), fields, async (who) => {
      const answer = await post('/auth/invitations/accept', { token, ...who });
      if (answer?.status === 'second_factor_required') return location.assign('/sign-in');
      if (!answer?.secondFactorEnrollmentRequired) return done();
      again = () => enrolSecondFactor(done);
      return again();
    })),
  );
}

start(() => again());
