//! HTML e-mails of representative templates, as the provider receives them.

use domain::decide::Verdict;
use domain::delivery::job::Content;
use engine::Evaluation;
use insta::assert_snapshot;
use workspace::root;

use crate::engine_run::{catalog, evaluate, recipients};

/// Pack and sample. The list covers each pack, and each kind of template: an account, an invitation, an amount, a time
/// with a zone, a list, an emergency, an unsubscribe footer.
pub(crate) const SAMPLES: [(&str, &str); 14] = [
    ("core", "announcement"),
    ("core", "auth.account.locked"),
    ("core", "user.created"),
    ("booking", "booking.approved.client"),
    ("booking", "booking.created"),
    ("booking", "location.approved"),
    ("business", "payment.processed"),
    ("care", "emergency.alert.created"),
    ("care", "medication.logged"),
    ("healthcare", "appointment.created"),
    ("healthcare", "billing.invoice.created"),
    ("healthcare", "ehr.lab_report.created"),
    ("tasks", "project.completed"),
    ("tasks", "task.assigned"),
];

#[test]
fn sample_has_this_html() {
    let (catalog, recipients) = (catalog(), recipients());
    for (pack, sample) in SAMPLES {
        let path = root().join(format!("packs/{pack}/events/{sample}.json"));
        let html = evaluate(&path, &catalog, &recipients, |evaluation| first_email(&evaluation));
        assert_snapshot!(format!("{pack}.{sample}"), html);
    }
}

/// Subject and HTML of the first e-mail among the decisions.
fn first_email(evaluation: &Evaluation<'_>) -> String {
    let mut emails = evaluation.decisions.iter().filter_map(|decision| {
        let Verdict::Send(order) = &decision.verdict else { return None };
        let Ok(Content::Email(email)) = evaluation.preview(order) else { return None };
        Some(format!(
            "To: {}\nSubject: {}\n\n{}",
            email.to.expose(),
            email.subject.expose(),
            email.html.expose()
        ))
    });
    emails.next().expect("the sample sends an e-mail")
}
