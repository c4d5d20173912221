//! What a founder who writes to the offline model gets back.

use super::*;

const BAKERY: &str = "I want to open a vegan bakery called \"Crumb & Co\" in Leeds for office \
    workers. I have saved £12,500.";

fn brief(copilot: &str, said: &[&str]) -> Brief {
    let instructions = [format!("co-pilot: {copilot}\n\nYou are helpful.")];
    Brief::new(
        &instructions,
        said.iter().map(ToString::to_string).collect(),
    )
}

fn answer(copilot: &str, said: &[&str]) -> String {
    write(&brief(copilot, said))
}

#[test]
fn every_answer_says_first_that_it_is_offline() {
    for copilot in Copilot::ALL {
        for said in [&[][..], &["Hi"], &[BAKERY], &[BAKERY, "And then?"]] {
            assert!(answer(copilot.as_str(), said).starts_with("Offline model: "));
        }
    }
}

#[test]
fn an_answer_is_about_the_business_of_the_person() {
    for copilot in Copilot::ALL {
        let answer = answer(copilot.as_str(), &[BAKERY]);
        for fact in [
            "vegan bakery",
            "Crumb & Co",
            "Leeds",
            "office workers",
            "£12,500",
        ] {
            assert!(
                answer.contains(fact),
                "{copilot:?} forgot {fact}:\n{answer}"
            );
        }
    }
}

#[test]
fn each_copilot_answers_in_its_own_way() {
    assert!(answer("business_plan_architect", &[BAKERY]).contains("outline of the plan"));
    assert!(answer("funding_navigator", &[BAKERY]).contains("A way to the money"));
    assert!(answer("growth_engine", &[BAKERY]).contains("Where the growth can come from"));
}

#[test]
fn the_same_conversation_gets_the_same_answer() {
    let said = [BAKERY, "What about the market?"];
    assert_eq!(
        answer("growth_engine", &said),
        answer("growth_engine", &said)
    );
}

#[test]
fn what_was_asked_comes_first() {
    let answer = answer(
        "business_plan_architect",
        &[BAKERY, "How do I do the forecast?"],
    );
    let outline = answer.split("outline of the plan**").nth(1).unwrap();
    assert!(
        outline.trim().starts_with("- **Financial projections:**"),
        "{answer}"
    );
}

#[test]
fn a_conversation_moves_on_and_remembers() {
    let first = answer("business_plan_architect", &[BAKERY]);
    let second = answer("business_plan_architect", &[BAKERY, "Go on"]);
    assert!(!first.contains("Owner bio") && second.contains("Owner bio"));
    assert!(second.contains("Crumb & Co"));
}

#[test]
fn what_is_known_is_not_asked() {
    let vague = answer(
        "funding_navigator",
        &["I need money for my restaurant, please help"],
    );
    assert!(vague.contains("In which country"));
    assert!(!answer("funding_navigator", &[BAKERY]).contains("In which country"));
}

#[test]
fn a_greeting_is_answered_by_an_invitation() {
    let answer = answer("growth_engine", &["Hello!"]);
    assert!(answer.contains("I am the Growth Engine"));
    assert!(!answer.contains("Next questions"));
}

#[test]
fn the_goal_of_the_conversation_counts_as_said() {
    let instructions = [
        "co-pilot: funding_navigator\n\nWhat the person wants to achieve: Open a café in Graz"
            .to_owned(),
    ];
    let answer = write(&Brief::new(
        &instructions,
        vec!["Where do I begin?".to_owned()],
    ));
    assert!(
        answer.contains("café") && answer.contains("Graz"),
        "{answer}"
    );
}

#[test]
fn no_template_has_a_placeholder_that_nobody_fills() {
    for copilot in Copilot::ALL {
        for turns in 1..8 {
            let answer = answer(copilot.as_str(), &vec![BAKERY; turns]);
            assert!(!answer.contains(['{', '}']), "{answer}");
        }
    }
}

#[test]
fn a_long_quotation_is_cut_between_words_whatever_the_script() {
    assert_eq!(quote("short\n\nand  sweet"), "short and sweet");
    let long = "crème brûlée 👩🏽‍🍳 ".repeat(40);
    let quoted = quote(&long);
    assert!(quoted.ends_with(" …") && quoted.chars().count() <= LONGEST_QUOTE + 2);
    assert!(quote(&"寿".repeat(500)).chars().count() <= LONGEST_QUOTE + 2);
}

#[test]
fn the_instructions_say_who_answers() {
    for copilot in Copilot::ALL {
        let instructions = [fido_copilot::copilots::system_prompt(copilot).to_owned()];
        assert_eq!(Brief::new(&instructions, Vec::new()).copilot, copilot);
    }
}
