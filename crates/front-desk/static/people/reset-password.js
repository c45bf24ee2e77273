// `/reset-password`: asks for a link, or sets a new password with one.
import { fragment, post } from './api.js';
import { card, field, form, make, page, start } from './dom.js';
import { say } from './texts.js';

const token = fragment().get('token');
const signIn = () => make('p', {}, make('a', { href: '/sign-in' }, say('sign_in')));
let again = token?.startsWith('rst_') ? choose : ask;

function told(text) {
  again = () => page(say('reset_password'), card(make('p', { className: 'done', role: 'status' }, say(text)), signIn()));
  again();
}

function ask() {
  const email = field(say('email'), { type: 'email', autocomplete: 'username', spellcheck: false });
  page(
    say('reset_password'),
    make('p', {}, say('reset_password_why')),
    card(form(say('send_link'), { email }, async (who) => {
      await post('/auth/password/forgot', who);
      told('link_sent');
    })),
    signIn(),
  );
}

function choose() {
  const password = field(say('new_password'), { type: 'password', autocomplete: 'new-password', minLength: 12 }, say('password_hint'));
  page(say('reset_password'), card(form(say('save'), { password }, async (chosen) => {
    await post('/auth/password/reset', { token, ...chosen });
    told('password_set');
  })));
}

start(() => again());
