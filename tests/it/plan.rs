//! What happens to a plan reaches the stream of its owner, through a projector that goes on.

use fido_commands::plan::{Given, PlanCommand};
use fido_commands::{CommandContext, ambient};
use fido_domain::plan::{Plan, PlanTitle, Section, SectionText};
use fido_domain::{Actor, Evolve};

use crate::app::TestApp;
use crate::sse::Sse;

#[tokio::test(flavor = "multi_thread")]
async fn the_owner_hears_of_a_plan_and_the_replica_goes_on() {
    let app = TestApp::start_quiet().await;
    let ada = app.register("ada").await;
    let store = app.ground.store().await;
    let (account_id, plan_id) = (ada.account_id, ambient::new_id());
    let section = Section::MarketAnalysis;
    let mut position = 0;
    for command in [
        PlanCommand::StartPlan {
            account_id,
            given: Given {
                title: PlanTitle::parse("The bakery").unwrap(),
                business_name: None,
                industry: None,
                location: None,
                stage: None,
                summary: None,
            },
        },
        PlanCommand::ReviseSection {
            account_id,
            section,
            expected: Some(0),
            text: SectionText::parse("Students and commuters").unwrap(),
        },
        PlanCommand::RequestGeneration {
            account_id,
            generation_id: ambient::new_id(),
            sections: None,
            instructions: None,
        },
        // Ends the generation first, so this is two events.
        PlanCommand::ArchivePlan { account_id },
    ] {
        let context = CommandContext::new(Actor::user(account_id), account_id);
        let committed = store
            .execute::<Plan>(plan_id, command, &context)
            .await
            .unwrap();
        position = committed.position;
    }

    // Answered by a replica that is at the last of them.
    app.get(&ada, "/v1/me", position).await;

    let mut stream = Sse::open(&app.http, app.url("/v1/stream?after=0"), &ada.token, None).await;
    for (sequence, name) in [
        (1, "plan.plan_started"),
        (2, "plan.section_revised"),
        (3, "plan.generation_requested"),
        (4, "plan.generation_cancelled"),
        (5, "plan.plan_archived"),
    ] {
        let event = stream.next_named(name).await;
        assert_eq!(event.data["aggregate_type"], Plan::TYPE);
        assert_eq!(event.data["aggregate_id"], plan_id.to_string());
        assert_eq!(event.data["sequence"], sequence);
    }
}
