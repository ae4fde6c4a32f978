//! `vigie serve`, and the roles that it starts.

use super::{Context, Outcome};
use crate::{
    confinement::{Role, enter},
    french, handover, roles,
};
use std::{
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

/// Runs until SIGTERM or SIGINT.
pub fn run(context: &Context<'_>) -> Outcome {
    log_to_stderr(context);
    let stop = Arc::new(AtomicBool::new(false));
    stop_on_signals(stop.clone())?;
    roles::supervise::run(context.build, &context.config_path, &context.config, &stop)?;
    Ok(ExitCode::SUCCESS)
}

/// One role, until `serve` closes its standard input.
pub fn role(context: &Context<'_>, role: &str) -> Outcome {
    log_to_stderr(context);
    let Some(known) = Role::of(role) else {
        return Err(format!("there is no role `{role}`: keeper, recorder, web, auditor, public").into());
    };
    match play(context, known) {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(error) => {
            let said = context.pick(french::message(&*error), error.to_string());
            tracing::error!(role, error = said, "the role ends");
            Ok(ExitCode::FAILURE)
        }
    }
}

/// 1 what the limits leave no right to is opened · 2 the limits, while there is one thread · 3 threads, secrets, the role.
fn play(context: &Context<'_>, role: Role) -> Result<(), Box<dyn std::error::Error>> {
    let stop = Arc::new(AtomicBool::new(false));
    let (build, config) = (context.build, &context.config);
    // a service manager may signal every process at once; the order to stop is the end of standard input
    let signals = || stop_on_signals(Arc::default());
    match role {
        Role::Keeper => {
            let confined = enter(role, build, config);
            signals()?;
            roles::keeper::run(build, config, handover::take(&stop)?, confined, &stop)?;
        }
        Role::Recorder => {
            let opened = roles::recorder::open(config)?;
            let confined = enter(role, build, config);
            signals()?;
            roles::recorder::run(build, config, handover::take(&stop)?, (opened, confined), &stop)?;
        }
        Role::Web => {
            let listening = roles::web::listen(config)?;
            let confined = enter(role, build, config);
            signals()?;
            roles::web::run(build, config, handover::take(&stop)?, (listening, confined), &stop)?;
        }
        Role::Auditor => {
            let confined = enter(role, build, config);
            signals()?;
            roles::auditor::run(build, config, handover::take(&stop)?, confined, &stop)?;
        }
        Role::Public => {
            let listener = roles::public::listen(config)?;
            let confined = enter(role, build, config);
            signals()?;
            handover::watch(&stop);
            roles::public::run(build, config, (listener, confined), &stop)?;
        }
    }
    Ok(())
}

/// One JSON object a line. Nothing personal and no secret reaches a log: such values do not print (domain::Sensitive).
fn log_to_stderr(context: &Context<'_>) {
    let filter = tracing_subscriber::EnvFilter::try_new(&context.config.log.level)
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info"));
    let built = tracing_subscriber::fmt().json().with_writer(std::io::stderr).with_env_filter(filter).try_init();
    if let Err(error) = built {
        eprintln!("{error}");
    }
}

fn stop_on_signals(stop: Arc<AtomicBool>) -> Result<(), std::io::Error> {
    use tokio::signal::unix::{SignalKind, signal};
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (mut terminate, mut interrupt) = {
        let _entered = runtime.enter();
        (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?)
    };
    std::thread::spawn(move || {
        runtime.block_on(async {
            loop {
                tokio::select! {
                    _ = terminate.recv() => {}
                    _ = interrupt.recv() => {}
                }
                stop.store(true, Ordering::SeqCst);
            }
        });
    });
    Ok(())
}
