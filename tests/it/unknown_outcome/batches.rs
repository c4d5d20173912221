//! One command of a batch is poison, or nobody waits for it: the others do not notice.

use fido_commands::{ExecuteError, ambient};

use super::{MANY, Process, begin_with, is_dense, is_there_once};

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_the_database_refuses_fails_alone() {
    let process = Process::on_the_shared_cluster().await;
    sqlx::raw_sql(
        "create function refuse_poison() returns trigger language plpgsql as $$ \
         begin \
             if new.metadata ->> 'request_id' = 'poison' then \
                 raise exception 'poison' using errcode = 'check_violation'; \
             end if; \
             return new; \
         end $$; \
         create trigger refuse_poison before insert on events \
         for each row execute function refuse_poison()",
    )
    .execute(&process.past)
    .await
    .unwrap();

    let held = process.hold_one().await;
    let mut commands = process.begin_many();
    let (store, poisoned) = (process.store.clone(), ambient::new_id());
    let poison = tokio::spawn(async move {
        begin_with(&store, poisoned, |context| {
            context.request_id = Some("poison".to_owned());
        })
        .await
    });
    commands.spawn(async { held.await.unwrap() });
    let more = process.begin_many();
    process.proxy.release();

    let mut answers = commands.join_all().await;
    answers.extend(more.join_all().await);
    let log = process.log().await;
    assert_eq!(log.len(), 2 * MANY + 1);
    for (id, answer) in answers {
        is_there_once(&log, id, &answer.unwrap());
    }
    is_dense(&log);
    match poison.await.unwrap() {
        Ok(_) => panic!("done, although the database refuses it"),
        Err(ExecuteError::Refused(_) | ExecuteError::ClaimTaken { .. }) => {
            panic!("refused for a reason that does not exist")
        }
        Err(_) => {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_who_walks_away_leaves_nothing_undone_for_others() {
    let process = Process::on_the_shared_cluster().await;
    let impatient = process.hold_one().await;
    let mut commands = process.begin_many();
    impatient.abort();
    assert!(impatient.await.unwrap_err().is_cancelled());
    process.proxy.release();
    let mut told = 0;
    let mut answers = Vec::new();
    while let Some(answer) = commands.join_next().await {
        answers.push(answer.unwrap());
    }
    let log = process.log().await;
    for (id, answer) in answers {
        is_there_once(&log, id, &answer.unwrap());
        told += 1;
    }
    assert!(log.len() - told <= 1, "{} events", log.len());
    is_dense(&log);
}
