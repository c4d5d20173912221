//! A person who does everything that there are events for, with the same words in every text.

use fido_commands::access::RecordAccess;
use fido_commands::account::{AccountCommand, PreferenceChanges, ProfileChanges, ProvenIdentity};
use fido_commands::conversation::ConversationCommand;
use fido_commands::plan::{Change, Changes, Given, PlanCommand};
use fido_commands::{CommandContext, EventStore, ambient};
use fido_domain::access::{
    Access, AccessEvent, Denial, NetworkAddress, PasswordProof, QueryText, SignInWay,
    SignOutReason, StrangerRefusal, stream_of,
};
use fido_domain::account::{
    Account, Amount, BusinessType, CompanyName, Currency, DisplayName, Goals, MonthlyRevenue,
    PolicyVersion, ProviderName, Role, RoleReason,
};
use fido_domain::conversation::{
    Conversation, ConversationTitle, Copilot, Goal, MessageText, Rating, RatingComment, Usage,
};
use fido_domain::plan::{FactKey, FactValue, Plan, PlanTitle, Section, SectionText, Source};
use fido_domain::text::EmailAddress;
use fido_domain::{Actor, Private};
use uuid::Uuid;

/// Stands in every text; also a key of a fact, which may be less.
pub(super) const MARKER: &str = "zanzibar_marker_58213";
/// The name of a model that needs care in CSV.
pub(super) const MODEL: &str = "offline, \"small\"";

const USAGE: Usage = Usage {
    input_tokens: 100,
    output_tokens: 10,
};

/// Somebody on tour.
pub(super) struct Tourist<'a> {
    pub(super) store: &'a EventStore,
    pub(super) account_id: Uuid,
}

impl<'a> Tourist<'a> {
    /// Somebody new.
    pub(super) async fn arrives(store: &'a EventStore) -> Self {
        let account_id = ambient::new_id();
        let tourist = Self { store, account_id };
        let register = AccountCommand::RegisterAccount {
            email: EmailAddress::parse(format!("{MARKER}{account_id}@example.com")).unwrap(),
            display_name: DisplayName::parse(MARKER).unwrap(),
        };
        tourist.account(register).await;
        tourist
    }

    fn context(&self) -> CommandContext {
        CommandContext {
            address: Some(Private::new(MARKER.to_owned())),
            user_agent: Some(Private::new(MARKER.to_owned())),
            ..CommandContext::new(Actor::user(self.account_id), self.account_id)
        }
    }

    pub(super) async fn account(&self, command: AccountCommand) {
        let context = self.context();
        self.store
            .execute::<Account>(self.account_id, command, &context)
            .await
            .unwrap();
    }

    async fn conversation(&self, id: Uuid, command: ConversationCommand) {
        let context = self.context();
        self.store
            .execute::<Conversation>(id, command, &context)
            .await
            .unwrap();
    }

    async fn plan(&self, id: Uuid, command: PlanCommand) {
        let context = self.context();
        self.store
            .execute::<Plan>(id, command, &context)
            .await
            .unwrap();
    }

    /// All of it, but for the end of the account.
    pub(super) async fn does_everything(&self) {
        for command in [
            AccountCommand::GrantRole {
                role: Role::Auditor,
                reason: Some(RoleReason::parse(MARKER).unwrap()),
            },
            AccountCommand::RevokeRole {
                role: Role::Auditor,
                reason: Some(RoleReason::parse(MARKER).unwrap()),
            },
        ] {
            self.account(command).await;
        }
        self.tells_about_themselves().await;
        let talk = self.talks().await;
        self.plans(talk).await;
        self.thinks_better_of_it(talk).await;
        let other = self.talks().await;
        let account_id = self.account_id;
        self.conversation(other, ConversationCommand::EraseConversation { account_id })
            .await;
        self.is_at_the_door().await;
    }

    /// Everything that is told of the door.
    async fn is_at_the_door(&self) {
        let (session_id, count) = (ambient::new_id(), 1);
        let request = || "GET /v1/analytics/{view}".to_owned();
        let happened = vec![
            AccessEvent::SignedIn {
                session_id,
                way: SignInWay::Password,
            },
            AccessEvent::SignedOut {
                session_ids: vec![session_id],
                reason: SignOutReason::SignedOut,
            },
            AccessEvent::SignInDenied {
                reason: Denial::WrongPassword,
                count,
            },
            AccessEvent::PasswordResetRequested {},
            AccessEvent::PasswordChanged {
                proof: PasswordProof::Mail,
            },
            AccessEvent::AccessForbidden {
                request: request(),
                count,
            },
            AccessEvent::CommandRefused {
                request: request(),
                problem: "not-found".to_owned(),
                count,
            },
            AccessEvent::SensitiveRead {
                path: "/v1/analytics/daily_actives".to_owned(),
                query: Some(Private::new(QueryText::parse(MARKER).unwrap())),
            },
            AccessEvent::StrangersRefused {
                refusal: StrangerRefusal::InvalidToken,
                count,
                address: Some(Private::new(NetworkAddress::parse(MARKER).unwrap())),
            },
        ];
        let context = self.context();
        let stream = stream_of(self.account_id, context.issued_at.date());
        self.store
            .execute::<Access>(stream, RecordAccess(happened), &context)
            .await
            .unwrap();
    }

    async fn tells_about_themselves(&self) {
        let policy_version = || PolicyVersion::parse("2026-01").unwrap();
        for command in [
            AccountCommand::ReviseProfile {
                changes: ProfileChanges {
                    display_name: Some(DisplayName::parse(format!("{MARKER} again")).unwrap()),
                    company_name: Change::To(CompanyName::parse(MARKER).unwrap()),
                    business_type: Change::To(BusinessType::parse(MARKER).unwrap()),
                    company_size: Change::Keep,
                    monthly_revenue: Change::To(MonthlyRevenue::new(
                        Amount::parse("582130.77").unwrap(),
                        Currency::parse("EUR").unwrap(),
                    )),
                    goals: Change::To(Goals::parse(MARKER).unwrap()),
                },
            },
            AccountCommand::ChoosePreferences {
                changes: PreferenceChanges {
                    save_history: Change::To(false),
                    ..PreferenceChanges::default()
                },
            },
            AccountCommand::GiveConsent {
                policy_version: policy_version(),
            },
            AccountCommand::WithdrawConsent {
                policy_version: policy_version(),
            },
            AccountCommand::LinkIdentity {
                identity: ProvenIdentity {
                    provider: ProviderName::parse("provider").unwrap(),
                    issuer: "https://id.example".to_owned(),
                    subject: format!("{MARKER}{}", self.account_id),
                },
            },
        ] {
            self.account(command).await;
        }
    }

    /// Two messages in a conversation: a reply to one, none to the other.
    async fn talks(&self) -> Uuid {
        let (id, account_id) = (ambient::new_id(), self.account_id);
        let start = ConversationCommand::StartConversation {
            account_id,
            copilot: Copilot::GrowthEngine,
            goal: Some(Goal::parse(MARKER).unwrap()),
            plan_id: None,
        };
        self.conversation(id, start).await;
        for is_answered in [true, false] {
            let reply_id = ambient::new_id();
            let post = ConversationCommand::PostMessage {
                account_id,
                message_id: ambient::new_id(),
                reply_id,
                text: MessageText::parse(MARKER).unwrap(),
            };
            let end = if is_answered {
                ConversationCommand::RecordReply {
                    reply_id,
                    attempt: 1,
                    text: MARKER.to_owned(),
                    model: MODEL.to_owned(),
                    usage: USAGE,
                }
            } else {
                ConversationCommand::FailReply {
                    reply_id,
                    attempt: 1,
                    reason: MARKER.to_owned(),
                }
            };
            for command in [post, ConversationCommand::StartReply { reply_id }, end] {
                self.conversation(id, command).await;
            }
            if is_answered {
                let rate = ConversationCommand::RateReply {
                    account_id,
                    reply_id,
                    rating: Rating::Up,
                    comment: Some(RatingComment::parse(MARKER).unwrap()),
                };
                self.conversation(id, rate).await;
            }
        }
        for (title, archived) in [
            (Some(ConversationTitle::parse(MARKER).unwrap()), None),
            (None, Some(true)),
            (None, Some(false)),
        ] {
            let file = ConversationCommand::FileConversation {
                account_id,
                title,
                archived,
            };
            self.conversation(id, file).await;
        }
        id
    }

    /// A reply that is no longer wanted when a part of it is there.
    async fn thinks_better_of_it(&self, id: Uuid) {
        let (account_id, reply_id) = (self.account_id, ambient::new_id());
        for command in [
            ConversationCommand::PostMessage {
                account_id,
                message_id: ambient::new_id(),
                reply_id,
                text: MessageText::parse(MARKER).unwrap(),
            },
            ConversationCommand::StartReply { reply_id },
            ConversationCommand::CancelReply {
                account_id,
                reply_id,
            },
            ConversationCommand::RecordPartialReply {
                reply_id,
                attempt: 1,
                text: MARKER.to_owned(),
            },
        ] {
            self.conversation(id, command).await;
        }
    }

    async fn plans(&self, conversation_id: Uuid) {
        let (id, account_id) = (ambient::new_id(), self.account_id);
        let section = Section::MarketAnalysis;
        let key = || FactKey::parse(MARKER).unwrap();
        let revise = |section, text: &str| PlanCommand::ReviseSection {
            account_id,
            section,
            expected: None,
            text: SectionText::parse(text).unwrap(),
        };
        let [kept, withdrawn] =
            [key(), FactKey::parse("other").unwrap()].map(|key| PlanCommand::RecordFact {
                account_id,
                key,
                value: FactValue::parse(MARKER).unwrap(),
                source: Source::User,
                conversation_id: None,
            });
        for command in [
            PlanCommand::StartPlan {
                account_id,
                given: Given {
                    title: PlanTitle::parse("Before").unwrap(),
                    business_name: Some("Before".to_owned().try_into().unwrap()),
                    industry: Some("Before".to_owned().try_into().unwrap()),
                    location: Some("Before".to_owned().try_into().unwrap()),
                    stage: None,
                    summary: Some("Before".to_owned().try_into().unwrap()),
                },
            },
            PlanCommand::DescribePlan {
                account_id,
                changes: Changes {
                    title: Some(PlanTitle::parse(MARKER).unwrap()),
                    business_name: Change::To(MARKER.to_owned().try_into().unwrap()),
                    industry: Change::To(MARKER.to_owned().try_into().unwrap()),
                    location: Change::To(MARKER.to_owned().try_into().unwrap()),
                    stage: Change::Keep,
                    summary: Change::To(MARKER.to_owned().try_into().unwrap()),
                    status: None,
                },
            },
            PlanCommand::DraftSection {
                account_id,
                section,
                based_on: 0,
                text: SectionText::parse(MARKER).unwrap(),
                model: MODEL.to_owned(),
                conversation_id,
            },
            revise(section, "Something else"),
            PlanCommand::RestoreRevision {
                account_id,
                section,
                expected: None,
                revision: 1,
            },
            PlanCommand::ApproveSection {
                account_id,
                section,
                expected: None,
            },
            PlanCommand::ReopenSection {
                account_id,
                section,
                expected: None,
            },
            PlanCommand::ApproveSection {
                account_id,
                section,
                expected: None,
            },
            kept,
            withdrawn,
            PlanCommand::WithdrawFact {
                account_id,
                key: FactKey::parse("other").unwrap(),
            },
        ] {
            self.plan(id, command).await;
        }
        self.generates(id, revise(Section::OwnerBio, MARKER)).await;
        for command in [
            PlanCommand::ArchivePlan { account_id },
            PlanCommand::RestorePlan { account_id },
        ] {
            self.plan(id, command).await;
        }
    }

    /// Three generations: one with a section of each fate, one that fails, one that is stopped.
    async fn generates(&self, id: Uuid, meanwhile: PlanCommand) {
        let account_id = self.account_id;
        let [first, second, third] = [(); 3].map(|()| ambient::new_id());
        let request = |generation_id| PlanCommand::RequestGeneration {
            account_id,
            generation_id,
            sections: Some(vec![
                Section::ExecutiveSummary,
                Section::OperationsPlan,
                Section::OwnerBio,
            ]),
            instructions: Some(MARKER.to_owned().try_into().unwrap()),
        };
        let written = |section| PlanCommand::RecordGeneratedSection {
            generation_id: first,
            attempt: 1,
            section,
            text: SectionText::parse(format!("{MARKER} by a model")).unwrap(),
            model: MODEL.to_owned(),
            usage: USAGE,
        };
        for command in [
            request(first),
            PlanCommand::StartGeneration {
                generation_id: first,
            },
            written(Section::ExecutiveSummary),
            meanwhile,
            written(Section::OwnerBio),
            PlanCommand::FailGeneratedSection {
                generation_id: first,
                attempt: 1,
                section: Section::OperationsPlan,
                reason: MARKER.to_owned(),
                model: Some(MODEL.to_owned()),
                usage: Some(USAGE),
            },
            request(second),
            PlanCommand::StartGeneration {
                generation_id: second,
            },
            PlanCommand::FailGeneration {
                generation_id: second,
                attempt: 1,
                reason: MARKER.to_owned(),
            },
            request(third),
            PlanCommand::CancelGeneration {
                account_id,
                generation_id: third,
            },
        ] {
            self.plan(id, command).await;
        }
    }
}

/// So many people who do everything.
pub(super) async fn people(store: &EventStore, number: usize) -> Vec<Tourist<'_>> {
    let mut people = Vec::new();
    for _ in 0..number {
        let tourist = Tourist::arrives(store).await;
        tourist.does_everything().await;
        people.push(tourist);
    }
    people
}
