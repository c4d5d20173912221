//! Whom and what the queries ask for.

use anyhow::{Context, Result, ensure};
use fido_domain::Position;
use fido_projections::conversation::{self, ConversationFilter, Order};
use fido_projections::{Replicas, plan, timeline};
use sqlx::PgPool;
use uuid::Uuid;

/// One more than a page of the API has by default, as the API asks.
const ROWS: i64 = 51;
/// As many as a live stream reads at a time.
const PAGE: i64 = 500;
/// How many are asked about, in an order that has nothing to do with where they are.
const CONVERSATIONS: &str = "
select c.account_id, c.conversation_id,
       coalesce((select t.position from fido.timeline t where t.account_id = c.account_id
                  order by t.position desc offset 20 limit 1), 0)
  from (select * from fido.conversations order by md5(conversation_id::text) limit 5000) c";
const PLANS: &str =
    "select account_id, plan_id from fido.plans order by md5(plan_id::text) limit 5000";

/// A query of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// The conversations of an account.
    Conversations,
    /// The latest messages of a conversation.
    Messages,
    /// The plans of an account.
    Plans,
    /// The sections of a plan.
    Sections,
    /// What an account has missed.
    Timeline,
}

impl Kind {
    pub(super) const ALL: [Self; 5] = [
        Self::Conversations,
        Self::Messages,
        Self::Plans,
        Self::Sections,
        Self::Timeline,
    ];

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Conversations => "conversations",
            Self::Messages => "messages",
            Self::Plans => "plans",
            Self::Sections => "sections",
            Self::Timeline => "timeline",
        }
    }
}

/// What there is to ask about.
pub(super) struct Cases {
    /// Account, conversation, and the position before the account's last 20 events.
    conversations: Vec<(Uuid, Uuid, Position)>,
    /// Account and plan.
    plans: Vec<(Uuid, Uuid)>,
}

impl Cases {
    /// Looks into a filled replica.
    ///
    /// # Errors
    /// When there is nothing in it.
    pub(super) async fn find(replica: &PgPool) -> Result<Self> {
        let cases = Self {
            conversations: sqlx::query_as(CONVERSATIONS).fetch_all(replica).await?,
            plans: sqlx::query_as(PLANS).fetch_all(replica).await?,
        };
        ensure!(
            !cases.conversations.is_empty() && !cases.plans.is_empty(),
            "too few events: there is nothing to ask about (--events)"
        );
        Ok(cases)
    }

    /// Asks the query number `n`, as a handler of the API does.
    ///
    /// # Errors
    /// When it fails, or does not find what is there.
    pub(super) async fn ask(&self, replicas: &Replicas, kind: Kind, n: usize) -> Result<()> {
        let (account, conversation, before) = self.conversations[n % self.conversations.len()];
        let (planner, plan) = self.plans[n % self.plans.len()];
        let (_, found) = match kind {
            Kind::Conversations => {
                let ask = async |mut snapshot| {
                    let filter = ConversationFilter::default();
                    let rows =
                        conversation::list(&mut snapshot, account, &filter, None, ROWS).await?;
                    Ok(rows.len())
                };
                replicas.ask(None, ask).await
            }
            Kind::Messages => {
                let ask = async |mut snapshot| {
                    let theirs = conversation::one(&mut snapshot, account, conversation).await?;
                    let Some(theirs) = theirs else { return Ok(0) };
                    let id = theirs.conversation_id;
                    let rows =
                        conversation::transcript(&mut snapshot, id, Order::Newest, None, ROWS)
                            .await?;
                    Ok(rows.len().max(1))
                };
                replicas.ask(None, ask).await
            }
            Kind::Plans => {
                let ask = async |mut snapshot| {
                    let rows = plan::list(&mut snapshot, planner, None, None, ROWS).await?;
                    Ok(rows.len())
                };
                replicas.ask(None, ask).await
            }
            Kind::Sections => {
                let ask = async |mut snapshot| {
                    let theirs = plan::one(&mut snapshot, planner, plan).await?;
                    let Some(theirs) = theirs else { return Ok(0) };
                    plan::sections(&mut snapshot, theirs.plan_id).await?;
                    Ok(1)
                };
                replicas.ask(None, ask).await
            }
            Kind::Timeline => {
                let ask = async |mut snapshot| {
                    let rows = timeline::after(&mut snapshot, account, before, Position::MAX, PAGE)
                        .await?;
                    Ok(rows.len())
                };
                replicas.ask(None, ask).await
            }
        }
        .with_context(|| format!("the query for {} failed", kind.as_str()))?;
        ensure!(found > 0, "the query for {} found nothing", kind.as_str());
        Ok(())
    }
}
