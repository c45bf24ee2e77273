//! How many conversations of a file end as they should.

use super::*;

/// Conversations of a file, each to its end: how many end with exactly what is expected to be booked. `MISY_DIALOGUES` names the
/// file, `MISY_BUSINESSES` the folder of the packs; neither belongs to the repository.
#[test]
#[ignore = "a measure over files that are not here"]
#[allow(clippy::print_stdout, reason = "it is asked for its figures")]
fn conversations_of_a_file_end_as_they_should() {
    let read =
        |path: String| std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let folder = std::env::var("MISY_BUSINESSES").unwrap();
    let lines = read(std::env::var("MISY_DIALOGUES").unwrap());
    let shown = std::env::var("MISY_SHOW").is_ok();
    let (mut all, mut right) = (0, [0, 0]);
    for line in lines.lines().filter(|line| !line.trim().is_empty()) {
        let dialogue: Value = serde_json::from_str(line).unwrap();
        let mut pack: Value =
            serde_json::from_str(&read(format!("{folder}/{}.json", dialogue["tenant"].as_str().unwrap())))
                .unwrap();
        pack.as_object_mut().unwrap().remove("tenantId");
        let pack = CompiledPack::new(misy_domain::ContextPack::parse(&pack).unwrap()).unwrap();
        all += 1;
        // As the program knows the contact, and with what their channel knows of them.
        for (at, right) in right.iter_mut().enumerate() {
            let mut talk =
                Talk::of(pack.clone(), dialogue["given"]["now"].as_str().unwrap().parse().unwrap());
            talk.given(&dialogue["given"], at == 1);
            let mut said = Vec::new();
            for turn in dialogue["turns"].as_array().unwrap() {
                if let Some(text) = turn["user"].as_str() {
                    let answer = talk.say(text);
                    said.push(format!("   > {text}\n   < {}", answer.replace('\n', " ")));
                }
            }
            let expected = dialogue["outcome"]["bookings"].as_array().cloned().unwrap_or_default();
            let is_right = talk.is_as(&expected);
            *right += usize::from(is_right);
            if at == 1 && (shown || !is_right) {
                let mark = if is_right { "right" } else { "WRONG" };
                println!("{} {mark}\n{}\n   {:?}", dialogue["id"], said.join("\n"), talk.booked());
            }
        }
    }
    println!(
        "{} of {all} end as they should; {} of {all} with what the channel knows of the contact",
        right[0], right[1]
    );
}

impl Talk {
    fn instant(&self, date: &str, time: &str) -> Timestamp {
        let (hour, minute) = time.split_once(':').unwrap();
        let minutes = hour.parse::<u16>().unwrap() * 60 + minute.parse::<u16>().unwrap();
        instant(date.parse().unwrap(), minutes, self.pack.pack().timezone.zone()).unwrap()
    }

    /// What a conversation begins with.
    fn given(&mut self, given: &Value, with_contact: bool) {
        let name = given["contact"]["name"].as_str().filter(|_| with_contact).map(str::to_owned);
        self.form.name.clone_from(&name);
        for busy in given["busy"].as_array().into_iter().flatten() {
            let at = |name: &str| {
                let (date, time) = busy[name].as_str().unwrap().split_once('T').unwrap();
                self.instant(date, time)
            };
            let (from, until) = (at("from"), at("to"));
            let provider = busy["provider"].as_str().unwrap().to_owned();
            self.taken.entry(provider).or_default().push(Taken { place: 1, from, until });
        }
        for booking in given["bookings"].as_array().into_iter().flatten() {
            let text = |name: &str| booking[name].as_str().unwrap().to_owned();
            self.made += 1;
            let ahead = Ahead {
                booking_id: BookingId::from_bytes((self.made + 1000).to_be_bytes()),
                service: text("service"),
                service_name: self.pack.pack().service(&text("service")).unwrap().name.clone(),
                provider: text("provider"),
                provider_name: self.pack.pack().provider(&text("provider")).unwrap().name.clone(),
                starts_at: self.instant(&text("date"), &text("time")),
                name: given["contact"]["name"].as_str().map(str::to_owned),
                party_size: booking["partySize"].as_u64().and_then(|size| u32::try_from(size).ok()),
            };
            self.ahead.push(ahead);
        }
    }

    fn is_as(&self, expected: &[Value]) -> bool {
        let fits = |one: &Ahead, is: &Value| {
            one.service == is["service"].as_str().unwrap_or_default()
                && one.starts_at == self.instant(is["date"].as_str().unwrap(), is["time"].as_str().unwrap())
                && is["provider"].as_str().is_none_or(|id| id == one.provider)
                && is["name"].as_str().is_none_or(|name| Some(name) == one.name.as_deref())
                && is["partySize"].as_u64().is_none_or(|size| one.party_size.map(u64::from) == Some(size))
        };
        self.ahead.len() == expected.len()
            && expected.iter().all(|is| self.ahead.iter().any(|one| fits(one, is)))
    }
}
