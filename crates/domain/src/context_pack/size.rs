//! What a pack takes in memory.

use super::{ContextPack, Faq, OpeningHours, Provider, SalesStrategy, Service};
use crate::hours::{Exception, ExceptionHours, Interval, Weekly};
use jiff::civil::Weekday;

impl ContextPack {
    /// What it takes in memory, heap included.
    pub fn bytes(&self) -> usize {
        let contact = [Some(&self.contact.email), self.contact.phone.as_ref(), self.contact.address.as_ref()];
        let branding = self.branding.iter().flat_map(|own| {
            [own.primary_color.as_ref(), own.logo_url.as_ref(), own.tone.as_ref()].into_iter().flatten()
        });
        let policies =
            self.policies.iter().flat_map(|own| [&own.returns, &own.privacy].into_iter().flatten());
        let lone =
            [&self.display_name, &self.industry].into_iter().chain(&self.greeting).chain(&self.description);
        let lone = lone.chain(contact.into_iter().flatten()).chain(branding).chain(policies);
        let rules = self.escalation.as_ref();
        size_of::<Self>()
            + lone.map(String::capacity).sum::<usize>()
            + self
                .site_origins
                .iter()
                .map(|origin| size_of_val(origin) + origin.as_str().len())
                .sum::<usize>()
            + self.opening_hours.as_ref().map_or(0, hours)
            + list(&self.services, service)
            + list(&self.providers, provider)
            + list(&self.sales_strategies, strategy)
            + list(&self.faq, faq)
            + rules.map_or(0, |rules| list(&rules.when_to_hand_off, String::capacity))
    }
}

/// A list with what its items hold beside themselves.
fn list<T>(items: &Vec<T>, heap: impl Fn(&T) -> usize) -> usize {
    items.capacity() * size_of::<T>() + items.iter().map(heap).sum::<usize>()
}

fn text(text: Option<&String>) -> usize {
    text.map_or(0, String::capacity)
}

fn weekly(week: &Weekly) -> usize {
    Weekday::Monday.cycle_forward().take(7).map(|day| size_of_val(week.on(day))).sum()
}

fn exception(exception: &Exception) -> usize {
    let intervals = match &exception.hours {
        ExceptionHours::Closed(_) => 0,
        ExceptionHours::Hours(hours) => hours.capacity() * size_of::<Interval>(),
    };
    intervals + text(exception.reason.as_ref())
}

fn hours(hours: &OpeningHours) -> usize {
    weekly(&hours.weekly) + list(&hours.exceptions, exception)
}

fn service(service: &Service) -> usize {
    service.id.capacity()
        + service.name.capacity()
        + text(service.description.as_ref())
        + list(&service.benefits, String::capacity)
        + list(&service.provider_ids, String::capacity)
}

fn provider(provider: &Provider) -> usize {
    provider.id.capacity()
        + provider.name.capacity()
        + text(provider.role.as_ref())
        + list(&provider.services, String::capacity)
        + weekly(&provider.weekly_availability)
        + list(&provider.exceptions, exception)
}

fn strategy(strategy: &SalesStrategy) -> usize {
    let objections = list(&strategy.objections, |own| own.objection.capacity() + own.answer.capacity());
    strategy.id.capacity()
        + strategy.service.capacity()
        + list(&strategy.steps, String::capacity)
        + objections
        + text(strategy.payment_link.as_ref())
}

fn faq(faq: &Faq) -> usize {
    faq.id.capacity()
        + faq.question.capacity()
        + list(&faq.alternatives, String::capacity)
        + faq.answer.capacity()
}
