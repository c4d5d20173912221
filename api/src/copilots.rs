//! The three co-pilots, as they introduce themselves.

use std::sync::Arc;

use aide::axum::ApiRouter;
use aide::axum::routing::get_with;
use fido_domain::conversation::Copilot;
use schemars::JsonSchema;
use serde::Serialize;

use crate::Api;
use crate::answer::{Found, Page};
use crate::document::about;
use crate::identity::SignedIn;

pub(crate) fn routes() -> ApiRouter<Arc<Api>> {
    ApiRouter::new()
        .api_route(
            "/v1/copilots",
            get_with(copilots, about("list_copilots", "The three co-pilots", &[])),
        )
        .with_path_items(|item| item.tag("conversations"))
}

async fn copilots(_: SignedIn) -> Found<Page<Introduction>> {
    Found::of(Page::whole(Copilot::ALL.map(introduce).into()))
}

/// A co-pilot, as shown before a conversation begins.
#[derive(Debug, Serialize, JsonSchema)]
struct Introduction {
    /// Its name for programs.
    id: Copilot,
    /// Its name for people.
    title: &'static str,
    /// What it begins with.
    greeting: &'static str,
    /// What it is good for.
    does: &'static str,
}

fn introduce(copilot: Copilot) -> Introduction {
    let (title, does, greeting) = match copilot {
        Copilot::BusinessPlanArchitect => (
            "Business Plan Architect",
            "Turns what you have in mind into a plan in nine sections that a banker, a partner \
             or an investor can read in twenty minutes.",
            "Let us build your plan together, one section at a time. What does your business do, \
             and for whom?",
        ),
        Copilot::FundingNavigator => (
            "Funding Navigator",
            "Finds out how much money you need, which kind suits you, and what the person on the \
             other side of the desk will ask.",
            "Let us find the money that fits your business. What do you need it for, and where \
             are you based?",
        ),
        Copilot::GrowthEngine => (
            "Growth Engine",
            "Helps you win your first customers, keep them, and find out what to do more of.",
            "Let us find your next customers. Who has bought from you so far, or who do you hope \
             will be the first?",
        ),
    };
    Introduction {
        id: copilot,
        title,
        greeting,
        does,
    }
}
