import type { ReactNode } from 'react';
import { Card, Section } from '../../parts/basics.js';
import { Area, Field, linesOf } from '../../parts/form.js';
import { useTexts } from '../../words/words.js';
import { type Change, orNothing, type Pack } from './pack.js';
import { texts } from './texts.js';

interface PartProps {
  pack: Pack;
  change: Change;
}

export function General({ pack, change }: PartProps): ReactNode {
  const say = useTexts(texts);
  return (
    <Section title={say('general')}>
      <Card>
        <div className="form">
          <div className="pair">
            <Field label={say('display_name')} pointer="/displayName" value={pack.displayName} onChange={(displayName) => change({ displayName })} />
            <Field label={say('industry')} hint={say('industry_hint')} pointer="/industry" value={pack.industry} onChange={(industry) => change({ industry })} />
          </div>
          <Area label={say('description')} pointer="/description" optional value={pack.description ?? ''} onChange={(text) => change({ description: orNothing(text) })} />
          <Area label={say('greeting')} hint={say('greeting_hint')} pointer="/greeting" optional value={pack.greeting ?? ''} onChange={(text) => change({ greeting: orNothing(text) })} />
          <div className="pair">
            <Field label={say('locale')} pointer="/locale" value={pack.locale} onChange={(locale) => change({ locale })} spellCheck={false} />
            <Field label={say('timezone')} pointer="/timezone" value={pack.timezone} onChange={(timezone) => change({ timezone })} spellCheck={false} />
            <Field label={say('currency')} pointer="/currency" value={pack.currency} maxLength={3} onChange={(currency) => change({ currency: currency.toUpperCase() })} spellCheck={false} />
          </div>
        </div>
      </Card>
    </Section>
  );
}

export function Contact({ pack, change }: PartProps): ReactNode {
  const say = useTexts(texts);
  const { contact } = pack;
  const set = (part: Partial<typeof contact>): void => change({ contact: { ...contact, ...part } });
  return (
    <Section title={say('contact')}>
      <Card>
        <div className="pair">
          <Field label={say('email')} type="email" pointer="/contact/email" value={contact.email} onChange={(email) => set({ email })} />
          <Field label={say('phone')} type="tel" pointer="/contact/phone" optional value={contact.phone ?? ''} onChange={(phone) => set({ phone: orNothing(phone) })} />
          <Field label={say('address')} pointer="/contact/address" optional value={contact.address ?? ''} onChange={(address) => set({ address: orNothing(address) })} />
        </div>
      </Card>
    </Section>
  );
}

const COLOR = /^#[0-9a-f]{6}$/i;

export function Look({ pack, change }: PartProps): ReactNode {
  const say = useTexts(texts);
  const branding = pack.branding ?? {};
  const set = (part: Partial<typeof branding>): void => change({ branding: { ...branding, ...part } });
  const color = branding.primaryColor ?? '';
  return (
    <Section title={say('branding')}>
      <Card>
        <div className="form">
          <div className="pair">
            <div className="with-swatch">
              <Field label={say('color')} pointer="/branding/primaryColor" optional value={color} placeholder="#12807A" onChange={(primaryColor) => set({ primaryColor: orNothing(primaryColor) })} spellCheck={false} />
              <input type="color" aria-label={say('color')} value={COLOR.test(color) ? color.toLowerCase() : '#3451c6'} onChange={(event) => set({ primaryColor: event.target.value })} />
            </div>
            <Field label={say('logo')} type="url" pointer="/branding/logoUrl" optional value={branding.logoUrl ?? ''} onChange={(logoUrl) => set({ logoUrl: orNothing(logoUrl) })} />
          </div>
          <Area label={say('tone')} pointer="/branding/tone" optional rows={2} value={branding.tone ?? ''} onChange={(tone) => set({ tone: orNothing(tone) })} />
        </div>
      </Card>
    </Section>
  );
}

export function Escalation({ pack, change }: PartProps): ReactNode {
  const say = useTexts(texts);
  const escalation = pack.escalation ?? {};
  const set = (part: Partial<typeof escalation>): void => change({ escalation: { ...escalation, ...part } });
  return (
    <Section title={say('escalation')}>
      <Card>
        <div className="form">
          <Field label={say('team_email')} type="email" pointer="/escalation/teamEmail" optional value={escalation.teamEmail ?? ''} onChange={(teamEmail) => set({ teamEmail: orNothing(teamEmail) })} />
          <Lines label={say('when')} hint={say('when_hint')} pointer="/escalation/whenToHandOff" value={escalation.whenToHandOff ?? []} onChange={(whenToHandOff) => set({ whenToHandOff })} />
        </div>
      </Card>
    </Section>
  );
}

export function Policies({ pack, change }: PartProps): ReactNode {
  const say = useTexts(texts);
  const policies = pack.policies ?? {};
  const set = (part: Partial<typeof policies>): void => change({ policies: { ...policies, ...part } });
  return (
    <Section title={say('policies')}>
      <Card>
        <div className="form">
          <Area label={say('returns')} pointer="/policies/returns" optional value={policies.returns ?? ''} onChange={(returns) => set({ returns: orNothing(returns) })} />
          <Area label={say('privacy')} pointer="/policies/privacy" optional value={policies.privacy ?? ''} onChange={(privacy) => set({ privacy: orNothing(privacy) })} />
        </div>
      </Card>
    </Section>
  );
}

/** Several texts, one a line. Empty lines stay while somebody types, and do not count. */
export function Lines({ label, hint, pointer, value, onChange }: { label: string; hint: string; pointer: string; value: readonly string[]; onChange: (value: string[]) => void }): ReactNode {
  return (
    <Area
      label={label}
      hint={hint}
      pointer={pointer}
      optional
      rows={Math.min(8, Math.max(2, value.length + 1))}
      value={value.join('\n')}
      onChange={(text) => onChange(text.endsWith('\n') ? [...linesOf(text), ''] : text.split('\n'))}
    />
  );
}
