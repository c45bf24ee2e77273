// `/enroll`: the first administrator of a tenant makes an account, with the token of the registration.
import { fragment, post } from './api.js';
import { card, field, form, make, page, start } from './dom.js';
import { enrolSecondFactor } from './second-factor.js';
import { language, say } from './texts.js';

const token = fragment().get('token');
let again = token?.startsWith('adm_') ? account : missing;

function missing() {
  page(say('enroll'), card(make('p', {}, say('link_incomplete'))));
}

function account() {
  const fields = {
    name: field(say('name'), { autocomplete: 'name', maxLength: 120 }),
    email: field(say('email'), { type: 'email', autocomplete: 'username', spellcheck: false }),
    password: field(say('new_password'), { type: 'password', autocomplete: 'new-password', minLength: 12 }, say('password_hint')),
  };
  page(
    say('enroll'),
    make('p', {}, say('enroll_why')),
    card(form(say('go_on'), fields, async (who) => {
      await post('/auth/enroll', { token, locale: language(), ...who });
      again = () => enrolSecondFactor(() => location.assign('/account'));
      again();
    })),
  );
}

start(() => again());
