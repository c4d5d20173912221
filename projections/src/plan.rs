//! Plans on a replica: no tables yet, so no rows change. Their events reach the timeline like all
//! others, and one that this build does not know stops the projector like any other.

use fido_domain::plan::PlanEvent;

/// Knows every event, and has nothing to write for any of them.
pub(crate) fn apply(event: &PlanEvent) {
    match event {
        PlanEvent::PlanStarted { .. }
        | PlanEvent::PlanDescribed { .. }
        | PlanEvent::SectionDrafted { .. }
        | PlanEvent::SectionRevised { .. }
        | PlanEvent::SectionRestored { .. }
        | PlanEvent::SectionApproved { .. }
        | PlanEvent::SectionReopened { .. }
        | PlanEvent::FactRecorded { .. }
        | PlanEvent::FactWithdrawn { .. }
        | PlanEvent::GenerationRequested { .. }
        | PlanEvent::GenerationStarted { .. }
        | PlanEvent::SectionSkipped { .. }
        | PlanEvent::SectionFailed { .. }
        | PlanEvent::GenerationCompleted { .. }
        | PlanEvent::GenerationFailed { .. }
        | PlanEvent::GenerationCancelled { .. }
        | PlanEvent::PlanArchived {}
        | PlanEvent::PlanRestored {} => {}
    }
}
