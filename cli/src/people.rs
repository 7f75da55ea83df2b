//! `carillon people`: who can be told something.

use domain::recipient::{EmailAddress, Recipient};
use store::People;

use crate::args::{Import, Target};
use crate::cloud::Cloud;
use crate::error::{Done, Error};
use crate::files;
use crate::terminal::{Ink, Terminal};

pub(crate) async fn import(args: &Import, target: &Target, terminal: &Terminal) -> Done {
    let (people, refused) = read(&args.file, terminal)?;
    let cloud = Cloud::of(target).await?;
    let table = People::new(&store::client(&cloud.config), cloud.name("people"));
    let total = people.len();
    for (at, some) in people.chunks(500).enumerate() {
        table.put(some).await?;
        terminal.progress(&format!("{} of {total} people", (at * 500 + some.len())));
    }
    terminal.clear();
    if terminal.json {
        terminal.say_json(&serde_json::json!({ "imported": total, "refused": refused }));
    } else {
        let word = match refused {
            0 => terminal.ink(Ink::Good, "ok"),
            _ => terminal.ink(Ink::Bad, &format!("{refused} refused,")),
        };
        terminal.say(&format!("{word} {total} people in {}", cloud.name("people")));
    }
    Ok(refused == 0)
}

/// The people in a file, and how many entries were no people. An address that is none is told and kept: decisions will
/// say so for this person alone.
fn read(path: &std::path::Path, terminal: &Terminal) -> Result<(Vec<Recipient>, usize), Error> {
    let (mut people, mut refused) = (Vec::new(), 0);
    for piece in files::pieces(path)? {
        match serde_json::from_str::<Recipient>(&piece.text) {
            Ok(person) if person.id.is_empty() || person.id.len() > 256 => {
                refused += 1;
                terminal.note(&format!("{}: the id must have 1 to 256 bytes", piece.place));
            }
            Ok(person) => {
                if let Some(Err(error)) = person.email.as_deref().map(EmailAddress::parse) {
                    terminal.note(&format!("{}: {} has no usable e-mail: {error}", piece.place, person.id));
                }
                people.push(person);
            }
            Err(error) => {
                refused += 1;
                terminal.note(&format!("{}: not a person: {error}", piece.place));
            }
        }
    }
    Ok((people, refused))
}
