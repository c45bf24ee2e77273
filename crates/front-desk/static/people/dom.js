// Pages made of elements. Everything is put in as text, nothing as markup.
import { LANGUAGES, language, say, setLanguage } from './texts.js';

/** An element with properties, attributes (names with a dash, or `role`) and children. */
export function make(name, properties = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (value === undefined) continue;
    if (key.includes('-') || key === 'role' || key === 'for') element.setAttribute(key, value);
    else element[key] = value;
  }
  element.append(...children.filter((child) => child !== undefined));
  return element;
}

let serial = 0;

/** A labelled field with room for a hint and for what is wrong with it. */
export function field(label, properties = {}, hint) {
  const id = `field-${++serial}`;
  const input = make('input', { id, required: true, ...properties });
  const mistake = make('p', { id: `${id}-mistake`, className: 'mistake' });
  const hintLine = hint && make('p', { id: `${id}-hint`, className: 'hint' }, hint);
  if (hint) input.setAttribute('aria-describedby', `${id}-hint`);
  const box = make('div', { className: 'field' }, make('label', { for: id }, label), input, hintLine, mistake);
  const refuse = (text) => {
    mistake.textContent = text ?? '';
    input.setAttribute('aria-invalid', String(Boolean(text)));
    const described = [hint && `${id}-hint`, text && `${id}-mistake`].filter(Boolean).join(' ');
    if (described) input.setAttribute('aria-describedby', described);
  };
  return { box, input, refuse, get value() { return input.value; } };
}

/** A form that does one thing at a time and says what went wrong. `fields` maps members of the request to fields. */
export function form(button, fields, act, ...more) {
  const problem = make('p', { className: 'problem', role: 'alert' });
  const submit = make('button', { type: 'submit', className: 'wide-button' }, button);
  const boxes = Object.values(fields).map((one) => one.box);
  const element = make('form', { noValidate: true }, problem, ...boxes, submit, ...more);
  element.addEventListener('submit', async (event) => {
    event.preventDefault();
    problem.textContent = '';
    for (const one of Object.values(fields)) one.refuse();
    const empty = Object.values(fields).find((one) => one.input.required && !one.value.trim());
    if (empty) {
      empty.refuse(say('required'));
      empty.input.focus();
      return;
    }
    submit.disabled = true;
    try {
      await act(Object.fromEntries(Object.entries(fields).map(([name, one]) => [name, one.value])));
    } catch (error) {
      show(error, fields, problem);
    } finally {
      submit.disabled = false;
    }
  });
  return element;
}

function show(error, fields, problem) {
  let unplaced = !error.errors?.length;
  for (const { pointer, message, code } of error.errors ?? []) {
    const one = fields[pointer.slice(1)];
    if (one) {
      one.refuse(say(`mistake_${code}`, message));
      one.input.focus();
    } else unplaced = true;
  }
  if (unplaced) problem.textContent = explain(error);
}

/** What a problem means, in the reader's words. */
export function explain(error) {
  if (error.name === 'NotAllowedError' || error.name === 'AbortError') return say('passkey_not_used');
  if (error.name === 'InvalidStateError') return say('passkey_there_already');
  return say(`problem_${error.code}`, error.errors?.[0]?.message ?? error.detail ?? say('problem_other'));
}

/** Shows a page under its title; what changes is told to those who listen, by the focus on the title. */
export function page(title, ...children) {
  const main = document.getElementById('main');
  document.title = `${title} · Misy`;
  const heading = make('h1', { tabIndex: -1 }, title);
  main.replaceChildren(heading, ...children.filter(Boolean));
  if (shown) heading.focus();
  shown = true;
}
let shown = false;

export const card = (...children) => make('div', { className: 'card' }, ...children);
export const section = (title, ...children) => make('section', { className: 'card' }, make('h2', {}, title), ...children);

/** A button that does one thing at a time; problems are shown in the card it stands in. */
export function action(label, className, act, name) {
  const button = make('button', { type: 'button', className, 'aria-label': name }, label);
  button.addEventListener('click', async () => {
    const place = button.closest('.card, dialog, main');
    place?.querySelector(':scope > .problem[data-action]')?.remove();
    button.disabled = true;
    try {
      await act();
    } catch (error) {
      const problem = make('p', { className: 'problem', role: 'alert', 'data-action': '' });
      place?.append(problem);
      problem.textContent = explain(error);
    } finally {
      button.disabled = false;
    }
  });
  return button;
}

/** The choice of language, in the head of each page; `draw` shows the page again. */
export function start(draw) {
  // Kept by the browser while somebody was elsewhere, who may have signed out there: what is shown again is asked for again.
  window.addEventListener('pageshow', (event) => {
    if (event.persisted) location.reload();
  });
  const select = make('select', { id: 'language', autocomplete: 'off' });
  for (const [code, name] of Object.entries(LANGUAGES)) {
    select.append(make('option', { value: code, lang: code, selected: code === language() }, name));
  }
  const label = make('label', { for: 'language' }, say('language'));
  document.querySelector('header').append(label, select);
  document.documentElement.lang = language();
  select.addEventListener('change', () => {
    setLanguage(select.value);
    document.documentElement.lang = select.value;
    label.textContent = say('language');
    shown = false;
    void draw();
  });
  void draw();
}
