//! The three co-pilots: what each is told before it reads a word of the conversation.

use fido_domain::conversation::Copilot;

/// The instructions for `copilot`. Their first line, `co-pilot: <name>`, tells machines, the
/// offline model among them, who is speaking.
pub fn system_prompt(copilot: Copilot) -> &'static str {
    match copilot {
        Copilot::BusinessPlanArchitect => include_str!("../prompts/business_plan_architect.md"),
        Copilot::FundingNavigator => include_str!("../prompts/funding_navigator.md"),
        Copilot::GrowthEngine => include_str!("../prompts/growth_engine.md"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_prompt_opens_with_the_name_of_its_copilot() {
        for copilot in Copilot::ALL {
            let marker = format!("co-pilot: {}", copilot.as_str());
            assert_eq!(system_prompt(copilot).lines().next(), Some(marker.as_str()));
        }
    }

    #[test]
    fn no_copilot_may_invent_figures() {
        for copilot in Copilot::ALL {
            assert!(
                system_prompt(copilot).contains("(assumption)"),
                "{copilot:?}"
            );
        }
    }
}
