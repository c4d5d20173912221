//! What people tell about themselves, how they want to be answered, what they agree to, and who they
//! are elsewhere.

use fido_commands::account::{
    AccountCommand, AccountRefusal, MOST_CONSENTS, PreferenceChanges, ProfileChanges,
    ProvenIdentity,
};
use fido_commands::change::Change;
use fido_domain::account::{
    AccountEvent, CompanySize, DisplayName, Goals, ModelName, PolicyVersion, Preference,
    ProfilePart, ProviderName,
};
use fido_domain::text::EmailAddress;

use super::{accounts, registered};

fn told(changes: ProfileChanges) -> AccountCommand {
    AccountCommand::ReviseProfile { changes }
}

fn revised(
    goals: Option<&str>,
    company_size: Option<CompanySize>,
    cleared: Vec<ProfilePart>,
) -> AccountEvent {
    AccountEvent::ProfileRevised {
        display_name: None,
        company_name: None,
        business_type: None,
        company_size,
        monthly_revenue: None,
        goals: goals.map(|goals| goals.to_owned().into()),
        cleared,
    }
}

#[test]
fn only_what_has_changed_about_a_person_is_recorded() {
    let goals = |text: &str| Change::To(Goals::parse(text).unwrap());
    let size = Some(CompanySize::UpTo10);
    let given = || vec![registered(), revised(Some("Bread"), size, vec![])];
    for (changes, expected) in [
        (ProfileChanges::default(), vec![]),
        (
            ProfileChanges {
                goals: goals("Bread"),
                company_size: Change::To(CompanySize::UpTo10),
                display_name: Some(DisplayName::parse("Ada").unwrap()),
                company_name: Change::Clear,
                ..ProfileChanges::default()
            },
            vec![],
        ),
        (
            ProfileChanges {
                goals: goals("Cake"),
                company_size: Change::To(CompanySize::UpTo10),
                ..ProfileChanges::default()
            },
            vec![revised(Some("Cake"), None, vec![])],
        ),
        (
            ProfileChanges {
                goals: Change::Clear,
                company_size: Change::Clear,
                ..ProfileChanges::default()
            },
            vec![revised(
                None,
                None,
                vec![ProfilePart::CompanySize, ProfilePart::Goals],
            )],
        ),
    ] {
        accounts()
            .given(given())
            .when(told(changes))
            .then_expect_events(expected);
    }
}

#[test]
fn only_another_choice_is_recorded() {
    let chosen = |model: Option<&str>, cleared: Vec<Preference>| AccountEvent::PreferencesChosen {
        model: model.map(|model| ModelName::parse(model).unwrap()),
        response_style: None,
        temperature: None,
        save_history: None,
        cleared,
    };
    let choose = |model: Change<&str>| AccountCommand::ChoosePreferences {
        changes: PreferenceChanges {
            model: match model {
                Change::Keep => Change::Keep,
                Change::Clear => Change::Clear,
                Change::To(model) => Change::To(ModelName::parse(model).unwrap()),
            },
            ..PreferenceChanges::default()
        },
    };
    let large = || chosen(Some("large"), vec![]);
    for (given, command, expected) in [
        (vec![], choose(Change::To("large")), vec![large()]),
        (vec![large()], choose(Change::To("large")), vec![]),
        (vec![large()], choose(Change::Keep), vec![]),
        (
            vec![large()],
            choose(Change::Clear),
            vec![chosen(None, vec![Preference::Model])],
        ),
        (vec![], choose(Change::Clear), vec![]),
    ] {
        let given = std::iter::once(registered()).chain(given).collect();
        accounts()
            .given(given)
            .when(command)
            .then_expect_events(expected);
    }
}

#[test]
fn a_consent_is_given_once_and_withdrawn_once() {
    let version = || PolicyVersion::parse("2026-01").unwrap();
    let (give, withdraw) = (
        || AccountCommand::GiveConsent {
            policy_version: version(),
        },
        || AccountCommand::WithdrawConsent {
            policy_version: version(),
        },
    );
    let (given, withdrawn) = (
        || AccountEvent::ConsentGiven {
            policy_version: version(),
        },
        || AccountEvent::ConsentWithdrawn {
            policy_version: version(),
        },
    );
    for (before, command, expected) in [
        (vec![], withdraw(), vec![]),
        (vec![], give(), vec![given()]),
        (vec![given()], give(), vec![]),
        (vec![given()], withdraw(), vec![withdrawn()]),
        (vec![given(), withdrawn()], withdraw(), vec![]),
        (vec![given(), withdrawn()], give(), vec![given()]),
    ] {
        let before = std::iter::once(registered()).chain(before).collect();
        accounts()
            .given(before)
            .when(command)
            .then_expect_events(expected);
    }
}

#[test]
fn nobody_decides_on_policies_without_end() {
    let version = |n: usize| PolicyVersion::parse(n.to_string()).unwrap();
    let decided = (0..MOST_CONSENTS).map(|n| AccountEvent::ConsentGiven {
        policy_version: version(n),
    });
    let given: Vec<_> = std::iter::once(registered()).chain(decided).collect();
    accounts()
        .given(given.clone())
        .when(AccountCommand::GiveConsent {
            policy_version: version(MOST_CONSENTS),
        })
        .then_expect_error(AccountRefusal::TooManyConsents);
    accounts()
        .given(given)
        .when(AccountCommand::WithdrawConsent {
            policy_version: version(0),
        })
        .then_expect_events(vec![AccountEvent::ConsentWithdrawn {
            policy_version: version(0),
        }]);
}

fn identity(subject: &str) -> ProvenIdentity {
    ProvenIdentity {
        provider: ProviderName::parse("small").unwrap(),
        issuer: "https://id.example".to_owned(),
        subject: subject.to_owned(),
    }
}

fn linked(subject: &str) -> AccountEvent {
    AccountEvent::IdentityLinked {
        provider: ProviderName::parse("small").unwrap(),
        subject: subject.to_owned().into(),
    }
}

#[test]
fn a_person_opens_an_account_with_what_they_have_proved_elsewhere() {
    accounts()
        .given_no_previous_events()
        .when(AccountCommand::RegisterWithIdentity {
            email: EmailAddress::parse("ada@example.com").unwrap(),
            display_name: DisplayName::parse("Ada").unwrap(),
            identity: identity("ada"),
        })
        .then_expect_events(vec![registered(), linked("ada")]);
}

#[test]
fn one_identity_of_each_provider_is_linked_once() {
    let link = |subject| AccountCommand::LinkIdentity {
        identity: identity(subject),
    };
    accounts()
        .given(vec![registered()])
        .when(link("ada"))
        .then_expect_events(vec![linked("ada")]);
    accounts()
        .given(vec![registered(), linked("ada")])
        .when(link("ada"))
        .then_expect_events(vec![]);
    accounts()
        .given(vec![registered(), linked("ada")])
        .when(link("eve"))
        .then_expect_error(AccountRefusal::OtherIdentityLinked);
}

#[test]
fn nothing_is_told_of_an_account_that_is_not_there() {
    let commands = || {
        [
            told(ProfileChanges::default()),
            AccountCommand::ChoosePreferences {
                changes: PreferenceChanges::default(),
            },
            AccountCommand::GiveConsent {
                policy_version: PolicyVersion::parse("1").unwrap(),
            },
            AccountCommand::LinkIdentity {
                identity: identity("ada"),
            },
        ]
    };
    for command in commands() {
        accounts()
            .given_no_previous_events()
            .when(command)
            .then_expect_error(AccountRefusal::NotFound);
    }
    for command in commands() {
        accounts()
            .given(vec![registered(), AccountEvent::AccountErased {}])
            .when(command)
            .then_expect_error(AccountRefusal::NotFound);
    }
}
