//! What may happen to an account.

mod profile;

use cqrs_es::test::TestFramework;
use fido_commands::account::{AccountCommand, AccountRefusal};
use fido_commands::decide::Decider;
use fido_domain::Private;
use fido_domain::account::{Account, AccountEvent, DisplayName, Role, RoleReason};
use fido_domain::text::EmailAddress;

fn accounts() -> TestFramework<Decider<Account>> {
    TestFramework::with(())
}

fn register() -> AccountCommand {
    AccountCommand::RegisterAccount {
        email: EmailAddress::parse("ada@example.com").unwrap(),
        display_name: DisplayName::parse("Ada").unwrap(),
    }
}

fn registered() -> AccountEvent {
    AccountEvent::AccountRegistered {
        email: EmailAddress::parse("ada@example.com").unwrap().into(),
        display_name: DisplayName::parse("Ada").unwrap().into(),
        roles: vec![Role::User],
    }
}

#[test]
fn a_person_opens_an_account_as_a_user() {
    accounts()
        .given_no_previous_events()
        .when(register())
        .then_expect_events(vec![registered()]);
}

#[test]
fn an_account_is_opened_once() {
    accounts()
        .given(vec![registered()])
        .when(register())
        .then_expect_error(AccountRefusal::AlreadyRegistered);
}

#[test]
fn an_account_is_erased_once() {
    accounts()
        .given(vec![registered()])
        .when(AccountCommand::EraseAccount)
        .then_expect_events(vec![AccountEvent::AccountErased {}]);
    accounts()
        .given(vec![registered(), AccountEvent::AccountErased {}])
        .when(AccountCommand::EraseAccount)
        .then_expect_events(Vec::new());
}

#[test]
fn an_account_that_nobody_opened_is_not_erased() {
    accounts()
        .given_no_previous_events()
        .when(AccountCommand::EraseAccount)
        .then_expect_error(AccountRefusal::NotFound);
}

#[test]
fn an_erased_account_is_not_opened_again() {
    accounts()
        .given(vec![registered(), AccountEvent::AccountErased {}])
        .when(register())
        .then_expect_error(AccountRefusal::AlreadyRegistered);
}

#[test]
fn a_role_is_granted_once_and_revoked_once() {
    let reason = || Some(RoleReason::parse("Looks after the figures").unwrap());
    let (grant, revoke) = (
        || AccountCommand::GrantRole {
            role: Role::Analyst,
            reason: reason(),
        },
        || AccountCommand::RevokeRole {
            role: Role::Analyst,
            reason: reason(),
        },
    );
    let (granted, revoked) = (
        || AccountEvent::RoleGranted {
            role: Role::Analyst,
            reason: reason().map(Private::new),
        },
        || AccountEvent::RoleRevoked {
            role: Role::Analyst,
            reason: reason().map(Private::new),
        },
    );
    for (given, command, expected) in [
        (vec![], grant(), vec![granted()]),
        (vec![granted()], grant(), vec![]),
        (vec![granted()], revoke(), vec![revoked()]),
        (vec![granted(), revoked()], revoke(), vec![]),
        (vec![granted(), revoked()], grant(), vec![granted()]),
    ] {
        let given = std::iter::once(registered()).chain(given).collect();
        accounts()
            .given(given)
            .when(command)
            .then_expect_events(expected);
    }
}

#[test]
fn a_role_is_granted_to_an_account_that_is_there_and_user_is_never_revoked() {
    let grant = || AccountCommand::GrantRole {
        role: Role::Admin,
        reason: None,
    };
    accounts()
        .given_no_previous_events()
        .when(grant())
        .then_expect_error(AccountRefusal::NotFound);
    accounts()
        .given(vec![registered(), AccountEvent::AccountErased {}])
        .when(grant())
        .then_expect_error(AccountRefusal::NotFound);
    accounts()
        .given(vec![registered()])
        .when(AccountCommand::RevokeRole {
            role: Role::User,
            reason: None,
        })
        .then_expect_error(AccountRefusal::AlwaysUser);
}
