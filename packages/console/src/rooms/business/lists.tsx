import { type ReactNode, useState } from 'react';
import { Button, Section } from '../../parts/basics.js';
import { Area, Field, useHasMistake } from '../../parts/form.js';
import { useTexts } from '../../words/words.js';
import { Lines } from './about.js';
import { type Change, type Faq, newId, orNothing, type Pack, type Service } from './pack.js';
import { texts } from './texts.js';

interface PartProps {
  pack: Pack;
  change: Change;
}

const replaced = <T,>(list: readonly T[], at: number, next: T | undefined): T[] => list.flatMap((one, place) => (place === at ? (next === undefined ? [] : [next]) : [one]));

/** Questions with their answers, and other ways to ask them. */
export function Questions({ pack, change }: PartProps): ReactNode {
  const say = useTexts(texts);
  const list = pack.faq ?? [];
  const [added, setAdded] = useState<string>();
  const set = (at: number, next: Faq | undefined): void => change({ faq: replaced(list, at, next) });
  const add = (): void => {
    const id = newId('q');
    setAdded(id);
    change({ faq: [...list, { id, question: '', answer: '' }] });
  };
  return (
    <Section
      title={say('faq')}
      actions={
        <Button icon="plus" onClick={add}>
          {say('add_question')}
        </Button>
      }
    >
      <div className="items">
        {list.map((one, at) => (
          <Item key={one.id} pointer={`/faq/${at}`} title={one.question || say('new_question')} opens={one.id === added} remove={() => set(at, undefined)}>
            <Field label={say('question')} pointer={`/faq/${at}/question`} value={one.question} onChange={(question) => set(at, { ...one, question })} />
            <Lines label={say('alternatives')} hint={say('one_a_line')} pointer={`/faq/${at}/alternatives`} value={one.alternatives ?? []} onChange={(alternatives) => set(at, { ...one, alternatives })} />
            <Area label={say('answer')} pointer={`/faq/${at}/answer`} value={one.answer} onChange={(answer) => set(at, { ...one, answer })} />
          </Item>
        ))}
      </div>
    </Section>
  );
}

/** What the business sells. */
export function Services({ pack, change }: PartProps): ReactNode {
  const say = useTexts(texts);
  const list = pack.services ?? [];
  const [added, setAdded] = useState<string>();
  const set = (at: number, next: Service | undefined): void => change({ services: replaced(list, at, next) });
  const add = (): void => {
    const id = newId('s');
    setAdded(id);
    change({ services: [...list, { id, name: '' }] });
  };
  const numberOf = (text: string): number | undefined => (text === '' || Number.isNaN(Number(text)) ? undefined : Number(text));
  return (
    <Section
      title={say('services')}
      actions={
        <Button icon="plus" onClick={add}>
          {say('add_service')}
        </Button>
      }
    >
      <div className="items">
        {list.map((one, at) => (
          <Item key={one.id} pointer={`/services/${at}`} title={one.name || say('new_service')} opens={one.id === added} remove={() => set(at, undefined)}>
            <div className="pair">
              <Field label={say('service')} pointer={`/services/${at}/name`} value={one.name} onChange={(name) => set(at, { ...one, name })} />
              <Field
                label={`${say('price')} (${pack.currency})`}
                type="number"
                pointer={`/services/${at}/price`}
                optional
                min={0}
                step="any"
                value={one.price ? String(one.price.amount) : ''}
                onChange={(text) => {
                  const amount = numberOf(text);
                  set(at, { ...one, price: amount === undefined ? undefined : { amount, currency: one.price?.currency ?? pack.currency } });
                }}
              />
              <Field
                label={say('minutes')}
                type="number"
                pointer={`/services/${at}/durationMinutes`}
                optional
                min={1}
                value={one.durationMinutes ? String(one.durationMinutes) : ''}
                onChange={(text) => set(at, { ...one, durationMinutes: numberOf(text) })}
              />
            </div>
            <Area label={say('description')} pointer={`/services/${at}/description`} optional rows={2} value={one.description ?? ''} onChange={(text) => set(at, { ...one, description: orNothing(text) })} />
            <Lines label={say('benefits')} hint={say('one_a_line')} pointer={`/services/${at}/benefits`} value={one.benefits ?? []} onChange={(benefits) => set(at, { ...one, benefits })} />
          </Item>
        ))}
      </div>
    </Section>
  );
}

/** One of a list, closed until somebody opens it or something is wrong in it. */
function Item({ pointer, title, opens, remove, children }: { pointer: string; title: string; opens: boolean; remove: () => void; children: ReactNode }): ReactNode {
  const say = useTexts(texts);
  const [open, setOpen] = useState(opens);
  const isWrong = useHasMistake(pointer);
  return (
    <details className="item" open={open || isWrong} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{title}</summary>
      {(open || isWrong) && (
        <div className="form">
          {children}
          <div className="buttons">
            <Button look="danger" onClick={remove}>
              {say('remove_named', { name: title })}
            </Button>
          </div>
        </div>
      )}
    </details>
  );
}
